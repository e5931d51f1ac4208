"""On a large table, the usual questions look at few rows: what PostgreSQL says of its plans, on a database that is
filled once for these tests."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic_core import from_json, to_json
from sqlalchemy import Engine, event

from benchmarks import questions
from benchmarks.fill import fill
from benchmarks.fill_rows import RUNNING, SCHEDULED
from benchmarks.questions import Known, Question, may_scan, usual
from messages.fields import Id
from messages.queries import MAX_LIMIT
from messages.registry import QUERIES
from store.engine import Plans, open_engine
from store.reads import run_details
from store.tables.runs import LONGEST_INDEXED
from store.transaction import Connection
from tests.servers import Servers, fresh_database
from workers.queries.answer import answer
from workers.queries.asked import Limits

RUNS = 100_000
# Far below what all runs have, and far above what any of the questions needs.
MOST_ROWS, MOST_BUFFERS = 30_000, 2_500
UNTIL = datetime(2026, 5, 4, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """What answering took: the rows that were looked at, the pages that were read, and the tables read whole."""

    rows: float = 0
    buffers: int = 0
    whole_tables: frozenset[str] = frozenset()

    def and_then(self, plan: Mapping[str, Any]) -> "Seen":
        """With one more statement."""
        scans = [node for node in _nodes(plan) if "Relation Name" in node]
        rows = sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in scans
        )
        whole = {node["Relation Name"] for node in scans if node["Node Type"] == "Seq Scan"}
        buffers = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return Seen(self.rows + rows, self.buffers + buffers, self.whole_tables | whole)


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from _nodes(inner)


@pytest.fixture(scope="module")
def large(servers: Servers, template_database: str) -> Iterator[Engine]:
    """A database with many runs."""
    with fresh_database(servers, template_database) as url:
        fill(url, RUNS, until=UNTIL, tell=lambda _: None)
        engine = open_engine(url, pool_size=1, plans=Plans.FOR_QUESTIONS)
        yield engine
        engine.dispose()


@pytest.fixture
def reader(large: Engine) -> Iterator[Connection]:
    with large.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def known(large: Engine) -> Known:
    with large.connect() as connection:
        return questions.known(connection)


def look(connection: Connection, question: Question) -> list[Seen]:
    """What each page of the answer took."""
    pages, after = [], None
    for _ in range(question.pages):
        body, seen = _page(connection, question.type, question.data(after))
        pages.append(seen)
        after = body.get("next")
        if after is None:
            break
    return pages


def _page(connection: Connection, kind: str, data: Mapping[str, Any]) -> tuple[Mapping[str, Any], Seen]:
    statements: list[tuple[str, Any]] = []

    def caught(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", caught)
    valid = QUERIES[kind].model_validate(from_json(to_json(data)))
    body = answer(connection, kind, valid, Limits(), now=UNTIL).body
    event.remove(connection, "before_cursor_execute", caught)
    seen = Seen()
    for statement, parameters in statements:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
        (found,) = connection.exec_driver_sql(explain, parameters).scalar_one()
        seen = seen.and_then(found["Plan"])
    return body, seen


def _all_questions() -> list[str]:
    nobody = Known(UNTIL, "", Id(int=0), Id(int=0), "", Id(int=0), Id(int=0), "", Id(int=0), "")
    return list(usual(nobody))


@pytest.mark.parametrize("name", _all_questions())
def test_a_usual_question_looks_at_few_runs(reader: Connection, known: Known, name: str) -> None:
    for seen in look(reader, usual(known)[name]):
        assert not seen.whole_tables & {"flow_run", "task_run"}
        assert seen.rows <= MOST_ROWS
        assert seen.buffers <= MOST_BUFFERS


@pytest.mark.parametrize(
    "name", ["how many failed", "how many failed within a week", "how many started within a day"]
)
def test_a_usual_count_looks_at_the_entries_of_what_it_counts_alone(
    reader: Connection, known: Known, name: str
) -> None:
    question = usual(known)[name]
    body, seen = _page(reader, question.type, question.data())
    assert body["count"] >= 400
    # Beside these, the runs in motion, and what is planned for later than now.
    assert seen.rows <= body["count"] * 1.05 + RUNNING + SCHEDULED
    # Dozens of entries to a page: the table is asked for runs in motion alone.
    assert seen.buffers <= body["count"] / 20 + 2 * RUNNING


def test_runs_of_a_name_of_a_state_are_listed_by_the_order_of_an_index(
    reader: Connection, known: Known
) -> None:
    (seen,) = look(reader, usual(known)["runs in a named state"])
    assert seen.rows <= 2 * MAX_LIMIT + 2 * RUNNING + 10


@pytest.mark.parametrize("name", list(may_scan()))
def test_what_may_look_at_all_runs_does_and_is_said_to(reader: Connection, name: str) -> None:
    (seen,) = look(reader, may_scan()[name])
    assert seen.rows >= RUNS


def test_a_graph_and_dependencies_look_at_their_own_task_runs(reader: Connection, known: Known) -> None:
    for kind in ("flow_run.graph", "flow_run.dependencies"):
        _, seen = _page(reader, kind, {"flow_run_id": known.parent_id})
        assert not seen.whole_tables & {"flow_run", "task_run", "flow_run_state", "task_run_state"}
        assert seen.rows <= 100


@pytest.mark.parametrize("kind", ["flow_run", "task_run"])
@pytest.mark.parametrize("length", [1, LONGEST_INDEXED + 1])
def test_runs_of_a_name_that_a_person_gives_are_found_by_an_index(
    reader: Connection, known: Known, kind: str, length: int
) -> None:
    name = known.run_name if length == 1 else "x" * length
    statement, parameters = run_details.question_of_name(kind, name, 6)
    (found,) = reader.exec_driver_sql(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters
    ).scalar_one()
    seen = Seen().and_then(found["Plan"])
    assert not seen.whole_tables
    assert seen.rows <= 2 * RUNNING + 6


def test_a_name_finds_runs_at_rest_and_in_motion_the_latest_first(reader: Connection, known: Known) -> None:
    named = run_details.named(reader, "flow_run", known.run_name, 1_000)
    by_query = reader.exec_driver_sql(
        "SELECT id FROM flow_run WHERE name = %(name)s ORDER BY id DESC", {"name": known.run_name}
    )
    assert named == by_query.scalars().all()
    running = "SELECT name FROM flow_run WHERE state_type = 'RUNNING' ORDER BY id LIMIT 1"
    assert run_details.named(reader, "flow_run", reader.exec_driver_sql(running).scalar_one(), 6)
