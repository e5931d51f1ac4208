"""`interlock runs list`: which runs there are, as a table and for programs."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text

from tests.cli.command import Shell
from tests.runs.conftest import Runs, Word
from workers.cli import runs_listed
from workers.settings import Settings


def names(word: Word, *args: object) -> list[str]:
    """Of the runs that are listed, in their order."""
    ended = word("list", "--json", *args)
    assert (ended.status, ended.err) == (0, "")
    return [json.loads(line)["name"] for line in ended.out.splitlines()]


def scheduled(when: str) -> dict[str, Any]:
    return {"type": "SCHEDULED", "state_details": {"scheduled_time": when}}


def test_the_table_has_a_line_for_each_run_newest_first(runs: Runs, word: Word) -> None:
    first = runs.create("orders", "PENDING", "RUNNING", name="red-fox", tags=["eu", "nightly"])
    second = runs.create("bills", "PENDING", "RUNNING", {"type": "FAILED", "message": "no disk"}, name="hen")
    ended = word("list")
    assert (ended.status, ended.err) == (0, "")
    heading, *lines = ended.out.splitlines()
    assert heading.split() == [
        *("id", "name", "flow", "state", "start", "took", "deployment", "queue", "tags", "runs", "message")
    ]
    assert [line.split()[:4] for line in lines] == [
        [second, "hen", "bills", "Failed"],
        [first, "red-fox", "orders", "Running"],
    ]
    assert "eu, nightly" in lines[1]
    assert lines[0].endswith("no disk")


def test_runs_can_be_asked_for_in_many_ways(runs: Runs, word: Word) -> None:
    runs.do("work_pool.upsert", {"name": "k8s"})
    runs.do("work_queue.upsert", {"name": "fast", "work_pool_name": "k8s"})
    deployment = runs.do("deployment.upsert", {"name": "nightly", "flow_name": "bills"})["deployment"]["id"]
    where = {"work_pool_name": "k8s", "work_queue_name": "fast"}
    runs.create("orders", "PENDING", "RUNNING", name="a-red", tags=["eu"])
    parent = runs.create("orders", "PENDING", "RUNNING", "COMPLETED", name="b-red", tags=["eu", "big"])
    runs.create("bills", scheduled("2030-01-01T00:00:00Z"), name="c-blue", deployment_id=deployment, **where)
    runs.create("sub", name="d-sub", parent_task_run_id=runs.task(parent))

    def found(*args: str) -> str:
        return "".join(name[0] for name in names(word, "--sort", "name-asc", *args))

    assert found() == "abcd"
    assert found("--state", "running") == "a"
    assert found("--state", "running", "--state", "COMPLETED") == "ab"
    assert found("--state-name", "Scheduled") == "c"
    assert found("--flow", "orders") == "ab"
    assert found("--flow", "orders", "--flow", "sub") == "abd"
    assert found("--deployment", "nightly") == found("--deployment", deployment) == "c"
    assert found("--tag", "eu") == "ab"
    assert found("--tag", "eu", "--tag", "big") == "b"
    assert found("--name", "a-red", "--name", "d-sub") == "ad"
    assert found("--name-like", "RED") == "ab"
    assert found("--work-queue", "fast") == found("--work-pool", "k8s") == "c"
    assert found("--parent", parent) == found("--parent", "b-red") == "d"
    assert found("--since", "1h", "--until", "+1h") == "ab"
    assert found("--since", "2029-12-31") == "c"
    assert found("--scheduled-after", "now") == "c"
    assert found("--scheduled-before", "+1h") == ""
    assert found("--flow", "orders", "--state", "scheduled") == ""
    assert names(word, "--sort", "NAME_DESC", "--limit", "2") == ["d-sub", "c-blue"]


def test_each_line_of_json_is_a_whole_run(runs: Runs, word: Word) -> None:
    ident = runs.create("orders", "PENDING", parameters={"month": 11})
    run = json.loads(word("list", "--json").out)
    assert (run["id"], run["state"]["type"], run["parameters"]) == (ident, "PENDING", {"month": 11})
    assert (run["flow_name"], run["deployment_name"], run["version"]) == ("orders", None, 2)


def test_all_pages_are_one_list(runs: Runs, word: Word, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_listed, "PAGE", 2)
    made = [runs.create(name=f"run-{number}") for number in range(5)]
    assert made
    assert names(word, "--sort", "name-asc", "--all") == [f"run-{number}" for number in range(5)]
    assert names(word, "--sort", "name-asc", "--limit", "3") == ["run-0", "run-1", "run-2"]
    table = word("list", "--all").out.splitlines()
    assert (len(table), [line.split()[0] for line in table].count("id")) == (6, 1)


def test_in_front_of_somebody_it_fits_and_its_short_ids_can_be_used(
    runs: Runs, word: Word, shell: Shell
) -> None:
    for number in range(3):
        runs.create("a flow of a rather long name", "PENDING", name=f"quite-a-long-name-{number}", tags=["x"])
    with shell.at_a_terminal("runs", "list", "--limit", "2") as terminal:
        assert terminal.end() == 0
        lines = [line for line in Text.from_ansi(terminal.seen.replace("\r", "")).plain.splitlines() if line]
    assert all(len(line) <= 120 for line in lines)
    heading, newest, second, more = lines
    assert heading.split()[:4] == ["id", "name", "flow", "state"]
    short = newest.split()[0]
    assert 8 <= len(short) < 36
    assert json.loads(word("show", short, "--json").out)["flow_run"]["name"] == "quite-a-long-name-2"
    assert second.split()[1] == "quite-a-long-name-1"
    assert more == "There are more: --limit or --all shows them."


def test_it_can_be_watched_until_ctrl_c(runs: Runs, shell: Shell) -> None:
    ident = runs.create("orders", "PENDING", name="red-fox")
    with shell.at_a_terminal("runs", "list", "--watch", "--interval", "0.2") as terminal:
        terminal.until("Pending")
        runs.set_state(ident, "RUNNING")
        terminal.until("Running")
        assert terminal.ctrl_c() == 0


def test_to_be_watched_it_needs_a_terminal(runs: Runs, word: Word) -> None:
    ended = word("list", "--watch")
    assert ended.status == 2
    assert "no terminal" in ended.err


def test_where_there_are_none_it_says_so(word: Word) -> None:
    ended = word("list", "--state", "running")
    assert (ended.status, ended.out) == (0, "There are no such runs.\n")
    assert word("list", "--json").out == ""


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--state", "done"), "there is no state 'done'; there are scheduled, pending"),
        (("--sort", "size"), "there is no order 'size'; there are id-desc"),
        (("--since", "soon"), "--since: 'soon' is no time"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_what_does_not_exist_is_wrong_usage(word: Word, args: tuple[str, ...], words: str) -> None:
    ended = word("list", *args)
    assert ended.status == 2
    assert words in ended.err


def test_a_parent_that_does_not_exist(word: Word) -> None:
    ended = word("list", "--parent", "nobody")
    assert ended.status == 1
    assert "there is no run 'nobody'" in ended.err


def test_the_replica_answers_where_there_is_one(runs: Runs, settings: Settings, tmp_path: Path) -> None:
    ident = runs.create("orders", "PENDING")
    away = "postgresql://somebody:secret@127.0.0.1:1/interlock"
    shell = Shell(tmp_path, database_url=away, read_database_url=settings.database_url)
    for args in (("list",), ("show", ident), ("states", ident)):
        assert shell.run("runs", *args).status == 0
    truth = shell.run("runs", "explain", ident)
    assert truth.status == 3
    assert "the database at 127.0.0.1:1/interlock cannot be reached" in truth.err
    assert "secret" not in truth.err
