"""What templates say of values. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from messages.runs import FlowRun, TaskRun
from messages.states import TERMINAL, State
from messages.wire import encode
from store.dead_letters import Letter


@dataclass(frozen=True, slots=True)
class Step:
    """A state of a run's history, and how long it lasted in seconds; None: it is the last."""

    state: State
    lasted_s: float | None


def steps(history: Sequence[State], at: datetime) -> Iterator[Step]:
    """The history with durations. The last state lasts until now, unless the run has ended with it."""
    for state, following in zip_longest(history, history[1:]):
        if following is not None:
            yield Step(state, (following.timestamp - state.timestamp).total_seconds())
        elif state.type in TERMINAL:
            yield Step(state, None)
        else:
            yield Step(state, max(0.0, (at - state.timestamp).total_seconds()))


def ran_for(run: FlowRun | TaskRun, at: datetime) -> float | None:
    """Seconds from its start to its end, or until now; None if it has not started."""
    if run.start_time is None:
        return None
    return max(0.0, ((run.end_time or at) - run.start_time).total_seconds())


def moment(value: datetime | None) -> str:
    """To the second, in UTC; a dash for none."""
    return "-" if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def clock(value: datetime | None) -> str:
    """The time of day to the millisecond."""
    return "-" if value is None else f"{value:%H:%M:%S}.{value.microsecond // 1000:03}"


def json(value: Any) -> str:
    """A value as people read it."""
    from json import dumps, loads

    return dumps(loads(encode(value)), indent=2, ensure_ascii=False)


def body(letter: Letter) -> str:
    """The message of a dead letter as far as it is kept here; what is no text shows as such."""
    text = letter.body.decode(errors="replace")
    rest = letter.size - len(letter.body)
    return f"{text}\n… and {rest:,} bytes more" if rest > 0 else text


def about(run: FlowRun) -> Mapping[str, str]:
    """The fields of a run that most people ask for, by name."""
    told: dict[str, object] = {
        "id": run.id,
        "version": run.version,
        "attempts": run.run_count,
        "created": f"{moment(run.created)} UTC",
        "expected start": f"{moment(run.expected_start_time)} UTC" if run.expected_start_time else None,
        "started": f"{moment(run.start_time)} UTC" if run.start_time else None,
        "ended": f"{moment(run.end_time)} UTC" if run.end_time else None,
        "deployment": run.deployment_id,
        "flow version": run.flow_version,
        "work queue": run.work_queue_name,
        "idempotency key": run.idempotency_key,
        "parent task run": run.parent_task_run_id,
        "infrastructure": run.infrastructure_pid,
    }
    return {name: str(value) for name, value in told.items() if value is not None}
