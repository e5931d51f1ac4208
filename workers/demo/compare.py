"""Is an answer the one that the real server gave? Pure.

Each member of `observed` is compared; texts of the system never, only whether there is one.

status                   equal
state_type, state_name   of the state in the answer; null: there is none. Not told with `http` 423: such an answer
                         came from the server's limits, before anything was asked about the run
created, updated, deleted   equal
reason                   null or not
delay_seconds            of a WAIT for a slot: equal. For a scheduled time: at least a second, and no longer than
                         recorded, since the time is nearer in a quicker replay
error                    equal to the error's code
http                     404: ERROR not_found, or nothing deleted; 423: WAIT
lost                     the answer never reached the client, which asked again: nothing to compare

Where no answer was recorded (clients told task runs as events), only ERROR is a difference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from messages.client import Result
from workers.demo.answers import state_of

_SLOT = "Concurrency limit"


@dataclass(frozen=True)
class Member:
    """One member that differs."""

    name: str
    recorded: Any
    answered: Any


def differing(observed: Mapping[str, Any] | None, result: Result) -> tuple[Member, ...]:
    """The members in which an answer differs from the recorded one."""
    if observed is None:
        code = (result.error or {}).get("code")
        return (Member("status", None, f"ERROR {code}"),) if result.status == "ERROR" else ()
    told = {name: value for name, value in observed.items() if name in _COMPARED}
    if observed.get("http") == 423:
        del told["state_type"], told["state_name"]
    members = (Member(name, value, _COMPARED[name](result)) for name, value in told.items())
    return tuple(member for member in members if not _agrees(member, observed))


def _agrees(member: Member, observed: Mapping[str, Any]) -> bool:
    if member.name == "reason":
        return (member.recorded is None) == (member.answered is None)
    if member.name == "delay_seconds" and not str(observed.get("reason")).startswith(_SLOT):
        return member.answered is not None and 1 <= member.answered <= member.recorded
    if member.name == "http":
        return member.answered is True if member.recorded == 423 else member.answered is False
    return bool(member.recorded == member.answered)


def _state(name: str) -> Callable[[Result], Any]:
    return lambda result: (state_of(result) or {}).get(name)


def _data(name: str) -> Callable[[Result], Any]:
    return lambda result: result.data.get(name)


def _http(result: Result) -> bool | None:
    """Whether to wait, for 423; False for what is not there, for 404."""
    if result.status == "WAIT":
        return True
    missing = result.data.get("deleted") is False or (result.error or {}).get("code") == "not_found"
    return False if missing else None


_COMPARED: dict[str, Callable[[Result], Any]] = {
    "status": lambda result: str(result.status),
    "state_type": _state("type"),
    "state_name": _state("name"),
    "created": _data("created"),
    "updated": _data("updated"),
    "deleted": _data("deleted"),
    "reason": lambda result: result.reason,
    "delay_seconds": lambda result: result.delay_seconds,
    "error": lambda result: (result.error or {}).get("code"),
    "http": _http,
}
