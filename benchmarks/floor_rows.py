"""The rows that commands leave in the database, ready to be written: statements and their encoded parameters. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from benchmarks.workload import SOURCE, STAGES
from messages.catalog import Flow
from messages.events import FlowRunRef, FlowRunStateChanged
from messages.fields import Id
from messages.ids import uuid7
from messages.results import Details, Outcome, Status, summary
from messages.runs import FlowRun
from messages.states import State, StateDetails, StateType
from store.recordset import insert_rows, rows_parameter, update_rows
from store.runs import PROGRESS
from store.tables.delivery import command
from store.tables.runs import flow_run, flow_run_state
from workers.now import now
from workers.pipeline.command import Command
from workers.pipeline.envelopes import event_of, result_of
from workers.world.world import Event

_INSERT_RUNS = insert_rows(flow_run)
_INSERT_STATES = insert_rows(flow_run_state)
_UPDATE_RUNS = update_rows(flow_run, PROGRESS)
_INSERT_INBOX = insert_rows(command)
_INSERT_OUTBOX = "INSERT INTO outbox (created, entries) VALUES (%(now)s, %(entries)s)"
_FINGERPRINT = "\\x" + "5c" * 16


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its parameters, encoded."""

    sql: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """One transaction, and how many commands' rows it writes."""

    commands: int
    statements: tuple[Statement, ...]


def transactions(flow: Flow, commands: int, batch: int) -> Iterator[Written]:
    """The rows of so many commands, in transactions of `batch` commands each."""
    for _ in range(max(1, commands // len(STAGES) // batch)):
        moment = now()
        runs = [_created(flow, number, moment) for number in range(batch)]
        yield _transaction(runs, [_creation(run) for run in runs], moment)
        for stage in STAGES[1:]:
            before, runs = runs, [_moved(run, StateType(stage), moment) for run in runs]
            told = [_transition(flow, old, new) for old, new in zip(before, runs, strict=True)]
            yield _transaction(runs, told, moment)


@dataclass(frozen=True, slots=True)
class _Told:
    """What one command answers and announces."""

    type: str
    outcome: Outcome
    event: Event


def _created(flow: Flow, number: int, moment: datetime) -> FlowRun:
    parameters = {"day": "2026-11-23", "number": number, "regions": ["eu-west", "us-east"]}
    return FlowRun(
        id=uuid7(),
        created=moment,
        updated=moment,
        version=1,
        name=f"benchmark-{number}",
        flow_id=flow.id,
        parameters=parameters,
        tags=["nightly", "benchmark"],
    )


def _creation(run: FlowRun) -> _Told:
    body = {"flow_run": run, "created": True, "mismatch": False}
    event = Event("flow_run.created", run.id, run, version=run.version)
    return _Told("flow_run.create", Outcome(Status.OK, body, subject=run.id), event)


def _moved(run: FlowRun, state_type: StateType, moment: datetime) -> FlowRun:
    state = State(
        id=uuid7(),
        type=state_type,
        name=state_type.default_name,
        timestamp=moment.replace(microsecond=run.version),
        message=f"the run is {state_type.lower()}",
        state_details=StateDetails(flow_run_id=run.id),
    )
    return replace(
        run,
        version=run.version + 1,
        state=state,
        state_id=state.id,
        state_type=state.type,
        state_name=state.name,
        state_timestamp=state.timestamp,
        expected_start_time=moment,
    )


def _transition(flow: Flow, old: FlowRun, new: FlowRun) -> _Told:
    assert new.state is not None
    assert new.state_type is not None
    ref = FlowRunRef(
        id=new.id,
        name=new.name,
        flow_id=new.flow_id,
        flow_name=flow.name,
        deployment_id=None,
        tags=new.tags,
        version=new.version,
        run_count=new.run_count,
    )
    changed = FlowRunStateChanged(
        run=ref,
        initial_state=old.state,
        validated_state=new.state,
        intended={"from": old.state_type, "to": new.state_type},
        status=Status.ACCEPT,
    )
    body = {"state": new.state, "details": Details(), "run": summary(new)}
    event = Event("flow_run.state_changed", new.id, changed, version=new.version)
    return _Told("flow_run.set_state", Outcome(Status.ACCEPT, body, subject=new.id), event)


def _transaction(runs: Sequence[FlowRun], told: Sequence[_Told], moment: datetime) -> Written:
    commands = [_command(each) for each in told]
    entries = [
        ("events", event_of(each.event, sender, uuid7(), moment).decode())
        for each, sender in zip(told, commands, strict=True)
    ]
    inbox = [_inbox_row(sender, each, moment) for each, sender in zip(told, commands, strict=True)]
    statements = (
        *_run_statements(runs),
        Statement(_INSERT_INBOX, rows_parameter(inbox)),
        Statement(_INSERT_OUTBOX, {"now": moment, "entries": to_json(entries).decode()}),
    )
    return Written(len(runs), statements)


def _run_statements(runs: Sequence[FlowRun]) -> tuple[Statement, ...]:
    names = [each.name for each in fields(FlowRun) if each.name != "state"]
    if runs[0].state is None:
        return (Statement(_INSERT_RUNS, rows_parameter(_columns(run, names) for run in runs)),)
    progress = rows_parameter(_columns(run, ("id", *PROGRESS)) for run in runs)
    states = rows_parameter(_state_row(run.id, run.state) for run in runs if run.state is not None)
    return Statement(_UPDATE_RUNS, progress), Statement(_INSERT_STATES, states)


def _columns(run: FlowRun, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(run, name) for name in names}


def _state_row(run_id: Id, state: State) -> dict[str, Any]:
    return {
        "id": state.id,
        "flow_run_id": run_id,
        "type": state.type,
        "name": state.name,
        "timestamp": state.timestamp,
        "message": state.message,
        "state_details": state.state_details.model_dump(mode="json", exclude_defaults=True),
    }


def _command(told: _Told) -> Command:
    return Command(
        id=uuid7(), type=told.type, source=SOURCE, envelope={}, fingerprint=b"", replyto="benchmark-floor"
    )


def _inbox_row(sender: Command, told: _Told, moment: datetime) -> dict[str, Any]:
    return {
        "id": sender.id,
        "source": sender.source,
        "type": sender.type,
        "fingerprint": _FINGERPRINT,
        "status": told.outcome.status,
        "replyto": sender.replyto,
        "result": result_of(sender, told.outcome, uuid7(), moment).decode(),
        "finished": moment,
    }
