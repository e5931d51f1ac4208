"""A run's graph as a tree for the terminal: each node once, below the last of those that it needs."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from messages.answers import Graph, NodeKind
from messages.states import StateType
from workers.cli.screen import coloured, printable
from workers.drawing import described, nesting, times
from workers.drawing.durations import in_words
from workers.drawing.palette import LOOKS
from workers.drawing.title import Title

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

#: Nodes that are shown unless one asks for more.
MOST = 400
# What lies deeper is shown on this level: a long chain would leave no room for names.
_DEEPEST = 12
_PARENTS_NAMED = 4


@dataclass(frozen=True, slots=True)
class Branch:
    """A node's place in `graph.nodes`, that of the branch on which it hangs, and what else it needs."""

    place: int
    home: int | None
    others: Sequence[int]


def branches(graph: Graph) -> list[Branch]:
    """Every node once, each after its home. A node hangs on the last of its parents to begin, if that is drawn in
    the same node as itself; else on the node that it is drawn in. Of a circle one edge is not followed."""
    shape = nesting.shape_of(graph.nodes)
    parents: dict[int, list[int]] = defaultdict(list)
    for parent, child in shape.edges:
        parents[child].append(parent)
    homes = [_home(place, parents[place], shape) for place in range(len(graph.nodes))]
    return [
        Branch(place, homes[place], [each for each in parents[place] if each != homes[place]])
        for place in _in_order(homes)
    ]


def as_tree(graph: Graph, *, now: datetime, title: Title | None = None, most: int = MOST) -> "Tree":
    """The tree, for a console of rich. Of more nodes than `most` the first are shown, and how many are missing."""
    from rich.text import Text
    from rich.tree import Tree

    span = times.span_of(graph, now)
    tree = Tree(_heading(graph, title or Title(), span), guide_style="bright_black")
    below: dict[int | None, tuple[Tree, int]] = {None: (tree, 0)}
    all_branches = branches(graph)
    for branch in all_branches[:most]:
        home, depth = below[branch.home]
        shown = home.add(_label(graph, branch, span, is_flat=depth > _DEEPEST))
        below[branch.place] = (shown if depth < _DEEPEST else home, depth + 1)
    missing = len(all_branches) - most
    if missing > 0:
        tree.add(Text(f"… and {missing:,} of {len(all_branches):,} nodes that are not shown here", "bold"))
    return tree


def _home(place: int, parents: Sequence[int], shape: nesting.Shape) -> int | None:
    around = shape.inside[place]
    beside = [each for each in parents if shape.inside[each] == around]
    return max(beside, default=around)


def _in_order(homes: list[int | None]) -> Iterator[int]:
    """From the roots to the ends. What hangs on itself in a circle is made a root."""
    hanging: dict[int | None, list[int]] = defaultdict(list)
    for place, home in enumerate(homes):
        hanging[home].append(place)
    seen: set[int] = set()
    roots = hanging[None]
    for start in (*roots, *range(len(homes))):
        if start in seen:
            continue
        if homes[start] is not None:
            homes[start] = None
        open_ends = [start]
        while open_ends:
            place = open_ends.pop()
            seen.add(place)
            yield place
            open_ends.extend(each for each in reversed(hanging[place]) if each not in seen)


def _heading(graph: Graph, title: Title, span: times.Span) -> "Text":
    from rich.text import Text

    text = Text()
    if title.state_type is not None:
        text.append_text(coloured(title.state_type, f"{LOOKS[title.state_type].sign} "))
    text.append(printable(title.name), "bold")
    text.append(f"\n{described.of_run(title, span)}", "bright_black")
    if not graph.nodes:
        return text.append("\nNo task run has begun.", "bright_black")
    text.append(f"\n{len(graph.nodes):,} {'node' if len(graph.nodes) == 1 else 'nodes'}:", "bright_black")
    for state, number in Counter(node.state_type for node in graph.nodes).most_common():
        text.append_text(coloured(state, f"  {LOOKS[state].sign} {number:,} {state.default_name}"))
    return text


def _label(graph: Graph, branch: Branch, span: times.Span, *, is_flat: bool) -> "Text":
    from rich.text import Text

    node = graph.nodes[branch.place]
    text = Text.assemble(
        coloured(node.state_type, described.caption(node)),
        (" (subflow run)" if node.kind is NodeKind.FLOW_RUN else "", "bright_black"),
        (f"  +{in_words((node.start_time - span.start).total_seconds())}", "cyan"),
        f"  {described.duration(node, span.end)}",
    )
    if node.state_type is not StateType.COMPLETED:
        text.append_text(coloured(node.state_type, f"  {node.state_type.default_name}"))
    for word, places in _relations(graph, branch, is_flat=is_flat):
        text.append(f"  {word} {_names(graph, places)}", "bright_black")
    return text


def _relations(graph: Graph, branch: Branch, *, is_flat: bool) -> Iterator[tuple[str, Sequence[int]]]:
    """What the place in the tree does not say: in what it was called, and what else it came after."""
    home = branch.home
    is_after_home = home is not None and graph.nodes[home].id in graph.nodes[branch.place].parents
    if home is not None and not is_after_home:
        yield "within", [home]
    if is_flat and home is not None and is_after_home:
        yield "after", [home, *branch.others]
    elif branch.others:
        yield "also after" if is_after_home else "after", branch.others


def _names(graph: Graph, places: Sequence[int]) -> str:
    named = [printable(graph.nodes[each].label) for each in places[:_PARENTS_NAMED]]
    more = len(places) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
