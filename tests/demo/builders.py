"""Recorded commands and their answers, made by hand."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from messages.client import Result, Status
from workers.demo.answers import Played
from workers.demo.recording import Recorded

RECORDED = datetime(2026, 11, 23, 5, 9, 21, tzinfo=UTC)
REPLAYED = datetime(2027, 1, 1, tzinfo=UTC)
RUN = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"
_numbers = count(1)


def recorded(
    kind: str,
    data: dict[str, Any],
    observed: dict[str, Any] | None = None,
    *,
    asked_s: float = 0.0,
    offset_s: float | None = None,
) -> Recorded:
    """A command that was asked and answered at these seconds of the recording."""
    time = (RECORDED + timedelta(seconds=asked_s)).isoformat()
    command = {
        "id": str(UUID(int=next(_numbers))),
        "source": "test",
        "type": kind,
        "time": time,
        "data": data,
    }
    return Recorded(asked_s if offset_s is None else offset_s, command, observed)


def result(status: str, **data: Any) -> Result:
    """An answer."""
    return Result(Status(status), {"status": status, **data}, "", error=data.get("error"))


def played(each: Recorded, answer: Result | None, **known: Any) -> Played:
    """A command with its answer, 10 ms later."""
    return Played(each, REPLAYED, 0.0, seconds=0.01, result=answer, **known)


def set_state(
    kind: str, run_id: str, state: dict[str, Any], observed: dict[str, Any] | None, **when: float
) -> Recorded:
    """A `set_state` command."""
    return recorded(f"{kind}.set_state", {f"{kind}_id": run_id, "state": state}, observed, **when)


def seen(status: str, state_type: str | None = None, name: str | None = None, **more: Any) -> dict[str, Any]:
    """An observed answer."""
    return {"status": status, "state_type": state_type, "state_name": name, **more}


def state(kind: str, name: str) -> dict[str, str]:
    """A state in an answer."""
    return {"type": kind, "name": name}
