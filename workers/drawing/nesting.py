"""Which node is drawn within which, and which edges can be drawn: the shape of a graph, without its times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from messages.answers import GraphNode
from messages.fields import Id

#: What lies deeper is drawn on this level.
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """Places of nodes in the graph's list: what each is drawn in, how deep, and the edges, each once."""

    inside: Sequence[int | None]
    depth: Sequence[int]
    edges: Sequence[tuple[int, int]]


def shape_of(nodes: Sequence[GraphNode]) -> Shape:
    """The shape. Edges to nodes that are not shown are left out."""
    places = {node.id: place for place, node in enumerate(nodes)}
    inside, depth = _nest(nodes, places)
    edges = dict.fromkeys(
        (places[parent], place)
        for place, node in enumerate(nodes)
        for parent in node.parents
        if parent in places and places[parent] != place
    )
    return Shape(inside, depth, list(edges))


def _nest(nodes: Sequence[GraphNode], places: Mapping[Id, int]) -> tuple[Sequence[int | None], Sequence[int]]:
    """A node is drawn in the last to begin of those that encapsulate it; in none, where that would be a circle."""
    inside = [
        max((places[each] for each in node.encapsulating if each in places), default=None) for node in nodes
    ]
    depth: dict[int, int] = {}
    for place in range(len(nodes)):
        _deepen(place, inside, depth)
    return inside, [depth[place] for place in range(len(nodes))]


def _deepen(place: int, inside: list[int | None], depth: dict[int, int]) -> None:
    """Finds the depth of this node and of all around it, from the outermost to the inside."""
    chain: dict[int, None] = {}
    above: int | None = place
    while above is not None and above not in depth and above not in chain:
        chain[above] = None
        above = inside[above]
    if above in chain:
        above = None
    for each in reversed(chain):
        while above is not None and depth[above] >= DEEPEST:
            above = inside[above]
        inside[each] = above
        depth[each] = 0 if above is None else depth[above] + 1
        above = each
