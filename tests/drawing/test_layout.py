"""Where things stand: no two bars on top of each other, neighbours near each other, whatever the graph."""

from datetime import datetime
from itertools import combinations, pairwise

import pytest
from hypothesis import given

from messages.answers import Graph
from messages.states import StateType
from tests.drawing.builders import GRAPHS, at, graph, large, node, state
from workers.drawing.layout import BAR_WIDTH, Bar, Layout, layout

NOW = at(150)


def right(drawn: Layout, bar: Bar) -> float:
    return max(drawn.x(bar.end), drawn.x(bar.begin) + BAR_WIDTH)


def overlap(drawn: Layout, one: Bar, other: Bar) -> bool:
    """Whether two bars, each as thick as its own row, share a place."""
    return (
        one.row == other.row
        and drawn.x(one.begin) < right(drawn, other)
        and drawn.x(other.begin) < right(drawn, one)
    )


def rows(drawn: Layout) -> dict[int, int]:
    return {bar.node.id.int: bar.row for bar in drawn.bars}


@given(GRAPHS)
def test_no_two_bars_overlap(any_graph: Graph) -> None:
    drawn = layout(any_graph, now=NOW)
    assert not any(overlap(drawn, one, other) for one, other in combinations(drawn.bars, 2))


@given(GRAPHS)
def test_every_node_has_its_bar_within_the_picture(any_graph: Graph) -> None:
    drawn = layout(any_graph, now=NOW)
    assert [bar.node for bar in drawn.bars] == any_graph.nodes
    for bar in drawn.bars:
        assert 0 <= bar.begin <= bar.end <= drawn.span.seconds
        assert 0 <= bar.row < bar.row + bar.rows <= drawn.rows


@given(GRAPHS)
def test_every_edge_between_shown_nodes_is_there_once(any_graph: Graph) -> None:
    drawn = layout(any_graph, now=NOW)
    shown = {each.id for each in any_graph.nodes}
    expected = {
        (parent, each.id)
        for each in any_graph.nodes
        for parent in each.parents
        if parent in shown and parent != each.id
    }
    found = [(drawn.bars[parent].node.id, drawn.bars[child].node.id) for parent, child in drawn.edges]
    assert sorted(found) == sorted(expected)


@given(GRAPHS)
def test_what_is_called_within_a_node_stands_in_its_rows_and_nothing_else_does(any_graph: Graph) -> None:
    drawn = layout(any_graph, now=NOW)
    for place, bar in enumerate(drawn.bars):
        if bar.inside is None:
            continue
        home = drawn.bars[bar.inside]
        assert bar.depth == home.depth + 1
        assert home.row < bar.row
        assert bar.row + bar.rows <= home.row + home.rows
        assert bar.inside != place


@given(GRAPHS)
def test_labels_end_before_the_next_bar(any_graph: Graph) -> None:
    drawn = layout(any_graph, now=NOW)
    by_row = sorted(drawn.bars, key=lambda bar: (bar.row, bar.begin))
    for bar, following in pairwise(by_row):
        if bar.row == following.row and not bar.is_label_inside:
            assert right(drawn, bar) + bar.room <= drawn.x(following.begin)


def test_a_chain_stays_in_its_row_beside_others() -> None:
    chains = [
        node(
            10 * chain + step,
            20 * step + chain,
            20 * step + 16,
            parents=[10 * chain + step - 1] if step else [],
        )
        for chain in (1, 2, 3)
        for step in range(4)
    ]
    found = rows(layout(graph(*chains, end=90), now=NOW))
    assert len(set(found.values())) == 3
    for chain in (1, 2, 3):
        assert len({found[10 * chain + step] for step in range(4)}) == 1


def test_the_chosen_rows_have_shorter_edges_than_the_first_free_ones() -> None:
    drawn = layout(large(300), now=NOW)
    chosen = sum(abs(drawn.bars[parent].row - drawn.bars[child].row) for parent, child in drawn.edges)
    ends: list[float] = []
    first_free: list[int] = []
    for bar in drawn.bars:
        row = next((each for each, end in enumerate(ends) if end <= drawn.x(bar.begin)), len(ends))
        ends[row:] = [right(drawn, bar) + 120, *ends[row + 1 :]]
        first_free.append(row)
    plain = sum(abs(first_free[parent] - first_free[child]) for parent, child in drawn.edges)
    assert chosen < plain * 0.75


def test_a_node_that_goes_on_ends_now_and_one_that_ended_somehow_has_no_length() -> None:
    running, lost = node(1, 10), node(2, 20, state=StateType.FAILED)
    drawn = layout(graph(running, lost), now=at(60))
    assert [(bar.begin, bar.end, bar.is_open) for bar in drawn.bars] == [(10, 60, True), (20, 20, False)]


def test_the_picture_of_a_run_that_ended_goes_to_its_end_and_not_till_now() -> None:
    assert layout(graph(node(1, 1, 2), end=30), now=at(9000)).span.end == at(30)
    crashed = [state(1, 0, StateType.RUNNING), state(2, 40, StateType.CRASHED)]
    assert layout(graph(node(1, 1, 2), states=crashed), now=at(9000)).span.end == at(40)


def test_states_shortly_before_the_start_are_in_the_picture_and_old_ones_do_not_squeeze_it() -> None:
    near, old = state(1, -5, StateType.PENDING), state(2, -3600, StateType.SCHEDULED)
    span = layout(graph(node(1, 0, 100), end=100, states=[old, near]), now=NOW).span
    assert (span.begin, span.zero) == (at(-5), 5)


@pytest.mark.parametrize("now", [at(-100), at(0), at(100)])
def test_a_run_that_has_not_started_has_a_picture(now: datetime) -> None:
    drawn = layout(graph(states=[state(1, -50, StateType.SCHEDULED)]), now=now)
    assert (drawn.bars, drawn.rows) == ([], 0)
    assert drawn.span.seconds > 0


def test_deep_nesting_ends_somewhere() -> None:
    nodes = [node(each, each, 2000 - each, inside=[each - 1]) for each in range(1, 600)]
    drawn = layout(graph(*nodes, end=2000), now=NOW)
    assert max(bar.depth for bar in drawn.bars) == 8


def test_ten_thousand_nodes_at_once_have_a_row_each() -> None:
    nodes = [
        node(each, each / 1e5, 1000, parents=[each - 1] if each % 3 else []) for each in range(1, 10_001)
    ]
    assert layout(graph(*nodes, end=1000), now=NOW).rows == 10_000
