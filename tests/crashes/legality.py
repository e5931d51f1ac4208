"""Would the rules alone, with nothing but memory, have answered the same?

All commands that changed something are carried out again, one by one, in the order in which their events were
committed; those that changed nothing are decided again while their run has the version that their result tells.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from messages.ids import uuid7
from messages.registry import COMMANDS
from messages.wire import decode, encode
from workers.pipeline.admit import Limits, admit
from workers.pipeline.command import Command
from workers.pipeline.decide import decide
from workers.world.world import World

Envelope = Mapping[str, Any]
_REFUSED = ("invalid_message", "unknown_type", "too_large")
#: so that nothing has expired
_LONG_AGO = datetime.fromtimestamp(0, UTC)


def illegal(
    sent: Mapping[str, Envelope], inbox: Mapping[str, Envelope], changes: Iterable[Envelope]
) -> Iterator[str]:
    """Sentences about verdicts that the rules would not have given."""
    commands = {ident: admitted for ident, each in sent.items() if (admitted := _admitted(each)) is not None}
    yield from _refusals(commands, inbox)
    in_order = list(changes)
    replay = _Replay(commands, inbox, _moments(in_order))
    yield from replay.of_settings()
    for event in in_order:
        yield from replay.of_change(event)
    yield from replay.unresolved()


def _moments(changes: Iterable[Envelope]) -> dict[str, datetime]:
    """When the rules decided, by command: a state is as old as the decision for it."""
    return {
        event["causationid"]: datetime.fromisoformat(event["data"]["validated_state"]["timestamp"])
        for event in changes
        if event["type"].endswith(".state_changed") and "causationid" in event
    }


def _admitted(envelope: Envelope) -> Command | None:
    body = encode({"args": [envelope]})
    [admitted] = admit(body, COMMANDS, _LONG_AGO, Limits())
    return admitted if isinstance(admitted, Command) else None


def _refusals(commands: Mapping[str, Command], inbox: Mapping[str, Envelope]) -> Iterator[str]:
    for ident, command in commands.items():
        error = inbox.get(ident, {"data": {"error": None}})["data"].get("error") or {}
        refused = command.refusal is not None
        if ident in inbox and refused != (error.get("code") in _REFUSED):
            yield f"command {ident} is {'not ' * (not refused)}refused by admission, and ended as {error}"


@dataclass
class _Replay:
    """The world as it is in the middle of the history."""

    commands: Mapping[str, Command]
    inbox: Mapping[str, Envelope]
    moments: Mapping[str, datetime]
    #: by run: when it was last decided about
    _last: dict[str, datetime] = field(default_factory=dict)
    _moment: datetime = _LONG_AGO
    _done: set[str] = field(default_factory=set)
    #: by run and version: commands that changed nothing
    _idle: dict[tuple[str, int], list[str]] = field(default_factory=lambda: defaultdict(list))
    #: by run: those whose verdict hung on something else than their run, and was not met yet
    _pending: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._world = World(clock=lambda: self._moment, new_id=uuid7, dice=lambda: 0.5)
        for ident, result in self.inbox.items():
            data = result["data"]
            if data["command"]["type"].endswith(".set_state") and data.get("run"):
                self._idle[data["run"]["id"], data["run"]["version"]].append(ident)

    def of_settings(self) -> Iterator[str]:
        """What is not about runs comes first, in the order in which it was sent."""
        for ident, command in self.commands.items():
            if not command.type.startswith(("flow_run.", "task_run.")) and ident in self.inbox:
                wrong = self._difference(ident, self._carry_out(ident))
                if wrong:
                    yield wrong

    def of_change(self, event: Envelope) -> Iterator[str]:
        ident, run, version = event.get("causationid", ""), event["subject"], int(event["sequence"])
        yield from self._overdue(run)
        if ident in self.commands and ident in self.inbox and ident not in self._done:
            wrong = self._difference(ident, self._carry_out(ident))
            if wrong:
                yield wrong
        self._pending[run] += [each for each in self._idle.pop((run, version), ()) if each not in self._done]
        self._look_again()

    def unresolved(self) -> Iterator[str]:
        for run in list(self._pending):
            yield from self._overdue(run)

    def _overdue(self, run: str) -> Iterator[str]:
        """Its version goes on: now they must have been met."""
        for ident in self._pending.pop(run, ()):
            if ident not in self._done:
                yield self._difference(ident, self._tried(ident)) or f"{ident} was met too late"

    def _look_again(self) -> None:
        for run, idents in list(self._pending.items()):
            left = [ident for ident in idents if self._difference(ident, self._tried(ident))]
            if left:
                self._pending[run] = left
            else:
                del self._pending[run]

    def _carry_out(self, ident: str) -> Envelope:
        self._done.add(ident)
        self._set_clock(ident)
        [decided] = decide(self._world, [self.commands[ident]]).ended
        answer: Envelope = _as_text(decided.outcome.data(ident, self.commands[ident].type))
        return answer

    def _tried(self, ident: str) -> Envelope:
        """As if it were carried out; nothing of it stays."""
        mark, told = self._world.journal.mark(), len(self._world.events)
        self._set_clock(ident)
        [decided] = decide(self._world, [self.commands[ident]]).ended
        self._world.journal.rewind(mark)
        del self._world.events[told:]
        answer: Envelope = _as_text(decided.outcome.data(ident, self.commands[ident].type))
        return answer

    def _set_clock(self, ident: str) -> None:
        """To the decision: later than the beginning of its transaction by as long as that waited for locks."""
        result = self.inbox[ident]
        subject = result.get("subject", "")
        began = datetime.fromisoformat(result["time"])
        self._moment = self.moments.get(ident) or max(began, self._last.get(subject, began))
        self._last[subject] = max(self._moment, self._last.get(subject, began))

    def _difference(self, ident: str, again: Envelope) -> str | None:
        told = self.inbox[ident]["data"]
        if _gist(told) == _gist(again):
            return None
        return f"{told['command']['type']} {ident} ended as {_gist(told)}; by the rules it is {_gist(again)}"


def _as_text(data: Any) -> Any:
    return decode(encode(data))


def _gist(data: Envelope) -> Sequence[Any]:
    """What a verdict comes to, without ids and times."""
    state, run = data.get("state") or {}, data.get("run") or {}
    details, error = data.get("details") or {}, data.get("error") or {}
    return [
        *(data["status"], error.get("code"), data.get("created"), data.get("updated"), data.get("deleted")),
        *(state.get("type"), state.get("name"), details.get("reason")),
        *(run.get("version"), run.get("run_count"), run.get("state_type")),
    ]
