"""The benchmark of large tables: what it asks, and the graphs that it makes."""

from collections.abc import Iterator
from time import perf_counter

import pytest
from sqlalchemy import Engine, text

from benchmarks import questions, tables
from benchmarks.fill import fill
from benchmarks.goals import GOALS
from benchmarks.tables import GRAPHS, THROUGH_THE_QUEUE, in_turn, lists, without_index
from benchmarks.tables_graph import with_task_runs
from benchmarks.workload import FLOWS
from messages.ids import uuid7
from messages.queries import ReadGraph
from messages.registry import QUERIES
from store.engine import open_engine
from tests.servers import Servers, fresh_database
from workers.now import now
from workers.processes import memory
from workers.queries.answer import answer
from workers.queries.asked import Limits

RUNS = 3_000


@pytest.fixture(scope="module")
def url(servers: Servers, template_database: str) -> Iterator[str]:
    with fresh_database(servers, template_database) as filled:
        fill(filled, RUNS, tell=lambda _: None)
        yield filled


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often memory was settled; that of the tests stays as it is."""
    times: list[str] = []
    monkeypatch.setattr(memory, "settle", lambda: times.append("settled"))
    return times


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url, pool_size=1)
    yield engine
    engine.dispose()


def test_each_question_has_its_figures(url: str, engine: Engine) -> None:
    names = [figure.name for figure in lists(url, 1)]
    with engine.connect() as connection:
        asked = questions.usual(questions.known(connection))
    shares = ("first", "p50", "p99")
    wanted = [f"{name}: {share}" for name in [*asked, "slowest list or count"] for share in shares]
    assert names == wanted


def test_lists_are_measured_with_the_garbage_collector_of_a_worker(
    url: str, settled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    def clock() -> float:
        begun.append(len(settled))
        return perf_counter()

    monkeypatch.setattr(tables, "perf_counter", clock)
    lists(url, 1)
    assert set(begun) == {1}


def test_full_and_empty_are_first_in_turn() -> None:
    orders = [list(in_turn(("full", "empty"), number)) for number in range(3)]
    assert orders == [["full", "empty"], ["empty", "full"], ["full", "empty"]]


def test_the_slowest_is_one_of_them(url: str) -> None:
    *figures, _, slowest = lists(url, 1)
    assert slowest.median == max(each.median for each in figures if each.name.endswith("p99"))


def test_what_has_no_index_is_told_apart(url: str) -> None:
    assert [figure.name for figure in without_index(url)] == [
        f"no index: {name}" for name in questions.may_scan()
    ]


def test_questions_are_messages_that_a_worker_takes(engine: Engine) -> None:
    with engine.connect() as connection:
        usual = questions.usual(questions.known(connection))
    assert set(THROUGH_THE_QUEUE) <= usual.keys()
    for question in [*usual.values(), *questions.may_scan().values()]:
        assert QUERIES[question.type].model_validate(question.data())


def test_a_graph_has_all_its_task_runs_and_their_edges(url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        values = {"id": uuid7(), "now": now(), "name": FLOWS[0]}
        connection.execute(
            text("INSERT INTO flow (id, created, updated, name) VALUES (:id, :now, :now, :name)"), values
        )
    data = ReadGraph(flow_run_id=with_task_runs(url, 20))
    with engine.connect() as connection:
        graph = answer(connection, "flow_run.graph", data, Limits(), now=now()).body["graph"]
    parents = [len(node.parents) for node in graph.nodes]
    # Half of two and of three is one: the second has one before it, the third has two.
    assert parents == [0, 1, *[2] * 18]
    assert graph.root_node_ids == [graph.nodes[0].id]


def test_the_goals_are_figures_that_are_measured() -> None:
    named = {goal.figure for goal in GOALS}
    assert {f"graph of {size:,} task runs: p50" for size in (GRAPHS[0], GRAPHS[-1])} <= named
    assert {"slowest list or count: p99", "commands, full"} <= named
