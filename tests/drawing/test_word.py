"""`interlock graph`: a tree, a picture or a page of a run in the database."""

import json
from pathlib import Path
from uuid import UUID, uuid4
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine

from messages.runs import FlowRun
from messages.states import StateType
from store.transaction import transaction
from tests.drawing.conftest import Word
from tests.reads.builders import NOON, World, at, inputs

COMPLETED, FAILED, RUNNING = StateType.COMPLETED, StateType.FAILED, StateType.RUNNING


@pytest.fixture
def run(engine: Engine) -> FlowRun:
    """Extract, transform, load; the transformation calls a helper and starts a subflow."""
    with transaction(engine) as connection:
        world = World(connection)
        flow_id = world.flow(name="orders").id
        run = world.flow_run(COMPLETED, name="witty-otter", flow_id=flow_id, start_time=NOON, end_time=at(20))
        a = world.task_run(run, COMPLETED, name="extract", start_time=at(1), end_time=at(4))
        b = world.task_run(
            run, COMPLETED, name="transform", start_time=at(4), end_time=at(9), task_inputs={"x": inputs(a)}
        )
        world.task_run(
            run,
            COMPLETED,
            name="helper",
            start_time=at(5),
            end_time=at(6.5),
            task_inputs={"__parents__": inputs(b)},
        )
        wrapper = world.task_run(run, COMPLETED, start_time=at(5), task_inputs={"x": inputs(a)})
        world.subflow_run(wrapper, FAILED, name="fast-fox", flow_id=flow_id, start_time=at(5), end_time=at(8))
        world.task_run(
            run,
            COMPLETED,
            name="load",
            start_time=at(9),
            end_time=at(19),
            task_inputs={"x": inputs(b), "y": inputs(a)},
        )
    return run


def test_it_shows_a_tree(run: FlowRun, graph_word: Word) -> None:
    result = graph_word(run.id)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "✓ orders / witty-otter\n"
        "Completed · 20 s · from 2026-05-04 12:00:00.000 UTC\n"
        "5 nodes:  ✓ 4 Completed  ✗ 1 Failed\n"
        "└── ✓ extract  +1 s  3 s\n"
        "    ├── ✓ transform  +4 s  5 s\n"
        "    │   ├── ✓ helper  +5 s  1.5 s  within transform\n"
        "    │   └── ✓ load  +9 s  10 s  also after extract\n"
        "    └── ✗ orders / fast-fox (subflow run)  +5 s  3 s  Failed\n"
    )


def test_a_large_graph_is_cut_and_it_says_so(run: FlowRun, graph_word: Word) -> None:
    result = graph_word(run.id, "--most", 2)
    assert result.exit_code == 0
    assert "… and 3 of 5 nodes that are not shown here" in result.stdout
    assert "--svg FILE and --html FILE show all" in result.stderr


def test_it_gives_the_graph_to_programs(run: FlowRun, graph_word: Word) -> None:
    found = json.loads(graph_word(run.id, "--json").stdout)
    assert found["nodes"][0]["label"] == "extract"
    assert len(found["nodes"]) == 5
    assert found["end_time"] == "2026-05-04T12:00:20Z"


def test_it_writes_a_picture_and_a_page(run: FlowRun, graph_word: Word, tmp_path: Path) -> None:
    svg, html = tmp_path / "run.svg", tmp_path / "run.html"
    result = graph_word(run.id, "--svg", svg, "--html", html)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{svg}: 5 nodes" in result.stderr
    assert ElementTree.fromstring(svg.read_text()).get("role") == "img"
    page = html.read_text()
    assert page.startswith("<!doctype html>")
    assert "fast-fox" in page


def test_a_run_that_has_not_started_has_a_picture(engine: Engine, graph_word: Word, tmp_path: Path) -> None:
    with transaction(engine) as connection:
        waiting = World(connection).flow_run(StateType.SCHEDULED, expected_start_time=at(1e9))
    result = graph_word(waiting.id, "--svg", tmp_path / "run.svg")
    assert result.exit_code == 0
    assert "No task run has begun." in graph_word(waiting.id).stdout


def test_an_unknown_run_ends_with_one(graph_word: Word) -> None:
    unknown = uuid4()
    result = graph_word(unknown)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"interlock: there is no flow run {unknown}\n"


def test_a_graph_that_is_too_large_ends_with_one(
    run: FlowRun, graph_word: Word, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_GRAPH_MAX_NODES", "4")
    result = graph_word(run.id)
    assert result.exit_code == 1
    assert "has more than 4 nodes; INTERLOCK_GRAPH_MAX_NODES allows more" in result.stderr


@pytest.mark.parametrize("words", [["not-an-id"], [], [UUID(int=1), "--most", 0]])
def test_wrong_usage_ends_with_two(graph_word: Word, words: list[object]) -> None:
    assert graph_word(*words).exit_code == 2


def test_a_file_that_cannot_be_written_ends_with_two(run: FlowRun, graph_word: Word, tmp_path: Path) -> None:
    result = graph_word(run.id, "--svg", tmp_path / "no-such-folder" / "run.svg")
    assert result.exit_code == 2
    assert "run.svg cannot be written: No such file or directory" in result.stderr


def test_an_unreachable_database_ends_with_three(graph_word: Word, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
    assert graph_word(uuid4()).exit_code == 3


def test_the_replica_is_read_if_there_is_one(
    run: FlowRun, graph_word: Word, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_READ_DATABASE_URL", database_url)
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
    assert graph_word(run.id).exit_code == 0
    monkeypatch.setenv("INTERLOCK_READ_DATABASE_URL", "postgresql://127.0.0.1:1/replica")
    assert graph_word(run.id).exit_code == 3
