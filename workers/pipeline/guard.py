"""Who may send what, and where answers may go: looked at when a message comes in, once. Pure.

What cannot prove whose it is is answered, and that is all: it is not looked up, not kept, takes no turn and no id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from messages.canonical import verify
from messages.commands.notifications import UpsertNotificationPolicy
from messages.errors import ErrorCode, ErrorItem, Refused, fault
from messages.fields import Instant
from messages.results import ErrorBody, Outcome, Status
from workers.pipeline.command import Admitted, Command, Unreadable
from workers.trust import Patterns, Rule, rule_for

#: So far ahead of this machine's clock may a sender's be.
AHEAD = timedelta(minutes=1)
_TIME: TypeAdapter[datetime] = TypeAdapter(Instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Without keys nothing has to be signed. Patterns that are None allow everything."""

    keys: Mapping[str, bytes] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    max_age: timedelta = timedelta(days=1)
    replyto: Patterns | None = None
    notify: Patterns | None = None

    def look_at(
        self, each: Admitted, envelope: Mapping[str, Any], now: datetime, *, is_batch: bool = False
    ) -> Admitted:
        """What becomes of a message that was read. Of a batch the types are judged one by one, inside."""
        if not self.keys:
            return self._addressed(each)
        try:
            key_id = verify(envelope, self.keys)
            self._require_right(key_id, each, is_batch=is_batch)
        except Refused as refused:
            return self._turned_away(each, _error(refused.code, refused.message))
        return self._addressed(self._fresh(each, envelope, now))

    def unproven(self, each: Admitted) -> Admitted:
        """What becomes of a message that was not read far enough to know whose it is."""
        if not self.keys or (isinstance(each, Unreadable) and each.replyto is None and not each.id):
            return self._addressed(each)
        outcome = each.outcome if isinstance(each, Unreadable) else each.refusal
        assert outcome is not None
        return self._turned_away(each, outcome)

    def _require_right(self, key_id: str, each: Admitted, *, is_batch: bool) -> None:
        rule = rule_for(key_id, self.rules)
        if rule.sources is not None and not rule.sources.allow(each.source or ""):
            raise Refused(
                ErrorCode.UNAUTHORIZED,
                f"the key {key_id!r} is not for messages of the source {each.source!r}",
            )
        if rule.types is not None and not is_batch and not rule.types.allow(each.type):
            raise Refused(
                ErrorCode.UNAUTHORIZED, f"the key {key_id!r} is not for messages of the type {each.type!r}"
            )

    def _fresh(self, each: Admitted, envelope: Mapping[str, Any], now: datetime) -> Admitted:
        """A signed command that is too old is refused, unless it proves to be the repeat of one that is known."""
        if isinstance(each, Unreadable):
            return each
        problem = self._fault_of_time(envelope.get("time"), now)
        if problem is None:
            return each
        refusal = _error(ErrorCode.UNAUTHORIZED, problem)
        return replace(each, refusal=refusal, keeps_id=False, partitionkey=None, sequence=None)

    def _fault_of_time(self, given: Any, now: datetime) -> str | None:
        if given is None:
            return "a signed message needs a `time`, by which its age is judged"
        try:
            age = now - _TIME.validate_python(given)
        except ValidationError:
            return None  # the envelope is refused for it
        if age > self.max_age:
            return f"the signature is too old: made for {given}, more than {self.max_age} ago"
        if age < -AHEAD:
            return f"the `time` {given} is in the future: see to the clock of the sender's machine"
        return None

    def _addressed(self, each: Admitted) -> Admitted:
        """Where nothing may be published, nothing is: the error can be read with `command.read`."""
        if each.replyto is not None and self.replyto is not None and not self.replyto.allow(each.replyto):
            if isinstance(each, Unreadable):
                return replace(each, replyto=None)
            return _misaddressed(replace(each, replyto=None), each.replyto, "replyto")
        data = each.data if isinstance(each, Command) else None
        if (
            self.notify is not None
            and isinstance(data, UpsertNotificationPolicy)
            and isinstance(each, Command)
        ):
            return (
                each if self.notify.allow(data.notify) else _misaddressed(each, data.notify, "data", "notify")
            )
        return each

    def _turned_away(self, each: Admitted, outcome: Outcome) -> Unreadable:
        """Answers go to streams alone: nobody is to fill the queues of others with what is not signed."""
        to_stream = each.replyto is not None and not each.replyto.startswith("actor:")
        assert outcome.error is not None
        turned_away = Unreadable(
            reason=outcome.error.message,
            body=b"",
            outcome=outcome,
            id=str(each.id),
            type=each.type,
            source=each.source,
            replyto=each.replyto if to_stream else None,
            correlationid=each.correlationid,
            is_kept=False,
        )
        addressed = self._addressed(turned_away)
        assert isinstance(addressed, Unreadable)
        return addressed


#: Who asks for nothing.
OPEN = Guard()


def _misaddressed(command: Command, name: str, *loc: str) -> Command:
    message = f"{name!r} is none of the places to which this installation publishes"
    refusal = _error(ErrorCode.INVALID_MESSAGE, f"{'.'.join(loc)}: {message}", fault(message, *loc))
    return replace(command, refusal=refusal, data=None, partitionkey=None, sequence=None)


def _error(code: ErrorCode, message: str, *errors: ErrorItem) -> Outcome:
    return Outcome(Status.ERROR, {}, ErrorBody(code=code, message=message, errors=list(errors)))
