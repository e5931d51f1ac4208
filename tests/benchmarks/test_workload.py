"""The commands that are measured: valid, complete, and none of them before its predecessor can have been answered."""

from collections import Counter

import pytest

from benchmarks.floor_rows import transactions
from benchmarks.workload import STAGES, Workload, encoded, envelopes
from messages.catalog import Flow
from messages.ids import uuid7
from messages.registry import COMMANDS
from workers.now import now
from workers.pipeline.admit import Limits, admit
from workers.pipeline.command import Command


@pytest.mark.parametrize("workload", [Workload(400, "me", 50), Workload(100_000, "me"), Workload(1, "me")])
def test_the_window_is_smaller_than_the_way_to_a_runs_next_command(workload: Workload) -> None:
    assert workload.outstanding <= workload.group
    assert workload.runs % workload.group == 0


def test_each_run_goes_through_all_stages_in_order() -> None:
    workload = Workload(400, "me", 20)
    seen: dict[str, list[str]] = {}
    for envelope in envelopes(workload):
        data = envelope["data"]
        stage = "create" if envelope["type"] == "flow_run.create" else data["state"]["type"]
        seen.setdefault(data.get("flow_run_id") or data["id"], []).append(stage)
    assert len(seen) == workload.runs
    assert all(tuple(stages) == STAGES for stages in seen.values())


def test_a_run_is_a_whole_group_behind_its_last_command() -> None:
    workload = Workload(800, "me", 50)
    last: dict[str, int] = {}
    for place, envelope in enumerate(envelopes(workload)):
        run_id = envelope["data"].get("flow_run_id") or envelope["data"]["id"]
        assert place - last.get(run_id, -workload.group) >= workload.group
        last[run_id] = place


@pytest.mark.parametrize(("batch", "messages"), [(1, 400), (50, 8)])
def test_every_message_is_admitted(batch: int, messages: int) -> None:
    sent = encoded(Workload(400, "me", 100, batch))
    admitted = [each for _, text in sent for each in admit(text, COMMANDS, now(), Limits())]
    assert len(sent) == messages
    assert len(admitted) == 400
    assert all(isinstance(each, Command) and each.refusal is None for each in admitted)


def test_the_floor_writes_as_many_rows_as_the_commands() -> None:
    flow = Flow(id=uuid7(), created=now(), updated=now(), name="benchmark")
    written = list(transactions(flow, 80, 10))
    assert sum(each.commands for each in written) == 80
    tables = Counter(
        statement.sql.split()[2]
        for each in written
        for statement in each.statements
        if "INSERT" in statement.sql
    )
    assert tables == {"flow_run": 2, "flow_run_state": 6, "command": 8, "outbox": 8}
