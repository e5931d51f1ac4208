"""The tree: each node once, where one would look for it."""

from hypothesis import given

from messages.answers import Graph
from tests.drawing.builders import GRAPHS, HOSTILE, TITLE, at, graph, node
from tests.drawing.terminal import lines
from workers.drawing.tree import branches

NOW = at(150)


@given(GRAPHS)
def test_every_node_hangs_once_and_below_one_that_came_before(any_graph: Graph) -> None:
    found = branches(any_graph)
    assert sorted(each.place for each in found) == list(range(len(any_graph.nodes)))
    seen: set[int | None] = {None}
    for each in found:
        assert each.home in seen
        seen.add(each.place)


@given(GRAPHS)
def test_every_other_parent_is_named(any_graph: Graph) -> None:
    places = {each.id: place for place, each in enumerate(any_graph.nodes)}
    for each in branches(any_graph):
        parents = {places[parent] for parent in any_graph.nodes[each.place].parents if parent in places}
        assert set(each.others) | {each.home} >= parents - {each.place}


@given(GRAPHS)
def test_every_node_has_one_line_that_cannot_move_the_cursor(any_graph: Graph) -> None:
    shown = lines(any_graph)
    heading = 3
    assert len(shown) == heading + len(any_graph.nodes)
    assert all(letter.isprintable() for line in shown for letter in line)


def test_hostile_names_are_shown_as_they_are() -> None:
    shown = lines(graph(node(1, 1, 2, label=f"[red]{HOSTILE}"), end=3))
    assert "[red]</script><img" in shown[-1]


def test_a_long_chain_leaves_room_for_names() -> None:
    chain = [node(each, each, each + 1, parents=[each - 1]) for each in range(1, 60)]
    shown = lines(graph(*chain, end=60))
    assert max(map(len, shown)) < 100
    assert shown[-1].endswith("✓ task-59  +59 s  1 s  after task-58")


def test_a_node_with_many_parents_names_some_and_counts_the_rest() -> None:
    parents = [node(each, each, each + 1) for each in range(1, 9)]
    last = node(20, 30, 31, parents=list(range(1, 9)))
    assert "also after task-1, task-2, task-3, task-4 and 3 more" in lines(graph(*parents, last, end=60))[-1]


def test_it_is_cut_after_as_many_as_one_asks_for() -> None:
    nodes = [node(each, each, each + 1) for each in range(1, 1200)]
    shown = lines(graph(*nodes, end=1200), most=1000)
    assert len(shown) == 3 + 1000 + 1
    assert shown[-1] == "└── … and 199 of 1,199 nodes that are not shown here"


def test_the_title_is_that_of_the_run() -> None:
    assert lines(graph(node(1, 1, 2), end=3), title=TITLE)[0] == "► orders / witty-otter"
