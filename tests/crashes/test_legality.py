"""The replay of a history by the rules alone: a lawful history passes, a verdict that they would not give is found."""

import json
from typing import Any
from uuid import UUID

import pytest

from messages.ids import uuid7
from messages.registry import COMMANDS
from tests.crashes.legality import illegal
from tests.crashes.producer import envelope
from workers.now import now
from workers.pipeline.admit import admit_envelope
from workers.pipeline.command import Command
from workers.pipeline.decide import decide
from workers.pipeline.envelopes import event_of, result_of
from workers.world.world import World

RUN = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
DEPLOYMENT = "33333333-3333-4333-8333-333333333333"
Lawful = tuple[dict[str, Any], dict[str, Any], list[Any]]


def moving(run: str, state: str) -> dict[str, Any]:
    return envelope("flow_run.set_state", {"flow_run_id": run, "state": {"type": state}})


def lawful() -> Lawful:
    """Two runs and one slot: one is refused what it wants; later nobody has to wait, and an ended run stays so."""
    deployment = {"id": DEPLOYMENT, "name": "d", "flow_name": "f", "concurrency_limit": 1}
    told = [
        envelope("deployment.upsert", deployment),
        *(
            envelope("flow_run.create", {"id": run, "flow_name": "f", "deployment_id": DEPLOYMENT})
            for run in (RUN, OTHER)
        ),
        *(moving(RUN, state) for state in ("PENDING", "RUNNING", "RUNNING")),
        moving(OTHER, "PENDING"),
        *(moving(RUN, state) for state in ("COMPLETED", "RUNNING")),
        envelope("flow_run.update", {"flow_run_id": RUN, "misspelt": 1}),
    ]
    world = World(clock=now, new_id=uuid7, dice=lambda: 0.5)
    inbox, events = {}, []
    for each in told:
        command = admit_envelope(each, b"", COMMANDS, None)
        assert isinstance(command, Command)
        [decided] = decide(world, [command]).ended
        inbox[each["id"]] = json.loads(result_of(command, decided.outcome, uuid7(), now()))
        events += [json.loads(event_of(event, command, uuid7(), now())) for event in decided.events]
    changes = [each for each in events if each["type"].startswith("flow_run.")]
    return {each["id"]: each for each in told}, inbox, changes


def test_a_lawful_history_passes() -> None:
    assert list(illegal(*lawful())) == []


@pytest.mark.parametrize("place", range(10))
def test_another_status_is_found(place: int) -> None:
    sent, inbox, changes = lawful()
    ident = list(sent)[place]
    others = {"ACCEPT": "REJECT", "REJECT": "ACCEPT", "ABORT": "WAIT", "OK": "ABORT", "ERROR": "OK"}
    data = inbox[ident]["data"]
    data["status"] = others[data["status"]]
    if data["status"] == "OK":
        data["error"] = None
    assert any(ident in sentence for sentence in illegal(sent, inbox, changes))


@pytest.mark.parametrize(("field", "value"), [("run_count", 7), ("state_type", "CRASHED")])
def test_another_run_is_found(field: str, value: object) -> None:
    sent, inbox, changes = lawful()
    ident = next(each for each in sent if inbox[each]["data"]["status"] == "ACCEPT")
    inbox[ident]["data"]["run"][field] = value
    assert any(ident in sentence for sentence in illegal(sent, inbox, changes))


def test_a_slot_that_was_not_there_is_found() -> None:
    """What a run got while another held the only slot."""
    sent, inbox, changes = lawful()
    [rejected] = [
        each for each in sent if inbox[each]["data"]["status"] == "REJECT" and _run(sent[each]) == OTHER
    ]
    inbox[rejected]["data"] |= {"status": "ACCEPT", "details": {"reason": None, "delay_seconds": None}}
    assert any(rejected in sentence for sentence in illegal(sent, inbox, changes))


def _run(command: dict[str, Any]) -> str:
    return str(UUID(command["data"]["flow_run_id"]))
