"""Admission: from the text of a message to commands. Pure: nothing is looked up, and a fault is a value."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import from_json

from messages.commands.batch import Batch
from messages.envelope import MAX_SEQUENCE, REPLYTO_PATTERN, Envelope
from messages.errors import ErrorCode, ErrorItem, Refused, fault
from messages.fields import SOURCE_PATTERN, Data
from messages.registry import BATCH
from messages.results import ErrorBody, Outcome, Status
from messages.wire import MAX_DEPTH, MAX_MESSAGE_BYTES, cropped, decode
from workers.pipeline.command import Admitted, Command, Unreadable, expired
from workers.pipeline.fingerprint import fingerprint
from workers.pipeline.guard import OPEN, Guard

_REPLYTO = re.compile(REPLYTO_PATTERN)
_SOURCE = re.compile(SOURCE_PATTERN)
_SEQUENCE = re.compile(r"[1-9][0-9]{0,18}")
_LONGEST_KEY = 200
# A message over the limit is still opened as far as this, to find out whom to tell.
_LARGEST_TO_ANSWER = 16 * 1_048_576
# One that is nested deeper than the parser goes is looked through bracket by bracket.
_LARGEST_TO_CROP = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a message may be, who may send it, and where its answer may go."""

    max_bytes: int = MAX_MESSAGE_BYTES
    max_depth: int = MAX_DEPTH
    guard: Guard = OPEN


def admit(body: bytes, types: Mapping[str, type[Data]], now: datetime, limits: Limits) -> list[Admitted]:
    """The commands of one dramatiq message: one, or those of a batch in their order."""
    try:
        message = decode(body, max_bytes=limits.max_bytes, max_depth=limits.max_depth + 2)
    except Refused as refused:
        return _refused(body, refused, types, now, limits)
    envelope = _envelope_of(message)
    if envelope is None:
        reason = "not a dramatiq message with one envelope as its only argument"
        return [Unreadable(reason=reason, body=body, outcome=_error(ErrorCode.INVALID_MESSAGE, reason))]
    if envelope.get("type") == BATCH and BATCH not in types:
        return list(_batch(envelope, body, types, now, limits.guard))
    return [limits.guard.look_at(admit_envelope(envelope, body, types, now), envelope, now)]


def _envelope_of(message: Any) -> dict[str, Any] | None:
    args = message.get("args") if isinstance(message, dict) else None
    if isinstance(args, list) and len(args) == 1 and isinstance(args[0], dict):
        return args[0]
    return None


def unread(body: bytes, reason: str) -> Unreadable:
    """A message that is not even opened: it is kept as it came."""
    return Unreadable(reason=reason, body=body, outcome=_error(ErrorCode.INTERNAL, reason))


def _batch(
    envelope: dict[str, Any], body: bytes, types: Mapping[str, type[Data]], now: datetime, guard: Guard
) -> Iterator[Admitted]:
    outer = guard.look_at(admit_envelope(envelope, body, {BATCH: Batch}, now), envelope, now, is_batch=True)
    if isinstance(outer, Unreadable) or outer.refusal is not None:
        yield outer
        return
    for inner in outer.data.commands:
        yield guard.look_at(admit_envelope(inner, b"", types, now), inner, now)


def admit_envelope(
    envelope: dict[str, Any], body: bytes, types: Mapping[str, type[Data]], now: datetime | None
) -> Admitted:
    """One command. `now` None: it has been looked at before, so that it can expire no more."""
    try:
        attributes = Envelope.model_validate(envelope)
    except ValidationError as invalid:
        return _without_envelope(envelope, body, invalid)
    data, refusal = _data(attributes, types, now)
    return Command(
        id=attributes.id,
        type=attributes.type,
        source=attributes.source,
        envelope=envelope,
        fingerprint=fingerprint(envelope),
        data=data,
        refusal=refusal,
        replyto=attributes.replyto,
        correlationid=attributes.correlationid,
        traceparent=attributes.traceparent,
        tracestate=attributes.tracestate,
        partitionkey=attributes.partitionkey,
        sequence=None if attributes.sequence is None else int(attributes.sequence),
        expires=attributes.expirytime,
    )


def _data(
    envelope: Envelope, types: Mapping[str, type[Data]], now: datetime | None
) -> tuple[Any, Outcome | None]:
    if now is not None and envelope.expirytime is not None and envelope.expirytime <= now:
        return None, expired(envelope.expirytime)
    model = types.get(envelope.type)
    if model is None:
        return None, _error(ErrorCode.UNKNOWN_TYPE, f"there is no {envelope.type!r}; see `interlock schema`")
    try:
        return model.model_validate(envelope.data), None
    except ValidationError as invalid:
        return None, _invalid(invalid, "data")


def _without_envelope(envelope: dict[str, Any], body: bytes, invalid: ValidationError) -> Admitted:
    """The envelope itself is at fault: as much of it as can be trusted says whom to tell."""
    outcome = _invalid(invalid)
    kind, source = _text(envelope.get("type")), _text(envelope.get("source"))
    replyto = _text(envelope.get("replyto"))
    replyto = replyto if replyto and _REPLYTO.match(replyto) else None
    correlation = _text(envelope.get("correlationid"))
    ident = _uuid(envelope.get("id"))
    turn = _turn(envelope)
    if ident is not None and kind and source and _SOURCE.match(source):
        return Command(
            id=ident,
            type=kind,
            source=source,
            envelope=envelope,
            fingerprint=fingerprint(envelope),
            refusal=outcome,
            replyto=replyto,
            correlationid=correlation,
            partitionkey=turn[0],
            sequence=turn[1],
        )
    assert outcome.error is not None
    return Unreadable(
        reason=outcome.error.message,
        body=body or json.dumps(envelope).encode(),
        outcome=outcome,
        id=_text(envelope.get("id")) or "",
        type=kind or "",
        source=source,
        replyto=replyto,
        correlationid=correlation,
    )


def _refused(
    body: bytes, refused: Refused, types: Mapping[str, type[Data]], now: datetime, limits: Limits
) -> list[Admitted]:
    """The message as a whole cannot be taken: its sender is told. In a batch, only who is at fault is refused."""
    envelope = _reopened(body)
    if envelope is None:
        return [limits.guard.unproven(_unread(refused, body))]
    if envelope.get("type") == BATCH and BATCH not in types and len(body) <= limits.max_bytes:
        commands = (envelope.get("data") or {}).get("commands")
        outer = {**envelope, "data": {"commands": [{}] * len(commands)}} if isinstance(commands, list) else {}
        taken = limits.guard.look_at(
            admit_envelope(outer, body, {BATCH: Batch}, now), envelope, now, is_batch=True
        )
        if isinstance(taken, Command) and taken.refusal is None and isinstance(commands, list):
            return [_looked_at_alone(inner, types, now, limits) for inner in commands]
    return [limits.guard.unproven(_unread(refused, body, envelope))]


def _looked_at_alone(inner: Any, types: Mapping[str, type[Data]], now: datetime, limits: Limits) -> Admitted:
    text = json.dumps(inner).encode()
    if not isinstance(inner, dict):
        return limits.guard.unproven(
            _unread(Refused(ErrorCode.INVALID_MESSAGE, "a command is an object"), text)
        )
    try:
        decode(text, max_bytes=limits.max_bytes, max_depth=limits.max_depth)
    except Refused as refused:
        return limits.guard.unproven(_unread(refused, text, inner))
    return limits.guard.look_at(admit_envelope(inner, text, types, now), inner, now)


def _reopened(body: bytes) -> dict[str, Any] | None:
    """The envelope of a message that was refused, to find out whom to tell."""
    if len(body) > _LARGEST_TO_ANSWER:
        return None
    try:
        return _envelope_of(from_json(body))
    except ValueError as error:
        too_deep = "recursion limit" in str(error) and len(body) <= _LARGEST_TO_CROP
    if too_deep:
        with suppress(ValueError):
            return _envelope_of(from_json(cropped(body)))
    # Python's own parser takes what is no text (half a surrogate pair), so that its sender can be told.
    try:
        return _envelope_of(_as_text(json.loads(body)))
    except (ValueError, RecursionError):
        return None


def _as_text(value: Any) -> Any:
    """The same, with nothing in it that could not be written down again."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_as_text(name): _as_text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _unread(refused: Refused, body: bytes, envelope: dict[str, Any] | None = None) -> Admitted:
    """An answer to what was not read any further than its attributes."""
    outcome = _error(refused.code, refused.message, refused.errors)
    unreadable = Unreadable(reason=refused.message, body=body, outcome=outcome)
    if envelope is None or _text(envelope.get("type")) is None:
        return unreadable
    try:
        attributes = Envelope.model_validate({**envelope, "data": {}})
    except ValidationError as invalid:
        return _without_envelope({**envelope, "data": {}}, body, invalid)
    return Command(
        id=attributes.id,
        type=attributes.type,
        source=attributes.source,
        envelope={**envelope, "data": {}},
        fingerprint=fingerprint(envelope),
        refusal=outcome,
        replyto=attributes.replyto,
        correlationid=attributes.correlationid,
        partitionkey=attributes.partitionkey,
        sequence=None if attributes.sequence is None else int(attributes.sequence),
    )


def _invalid(invalid: ValidationError, *prefix: str) -> Outcome:
    faults: list[ErrorItem] = [
        fault(each["msg"], *prefix, *each["loc"], kind=each["type"])
        for each in invalid.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = faults[0]
    where = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return _error(ErrorCode.INVALID_MESSAGE, f"{where}: {first['msg']}{more}", faults)


def _error(code: ErrorCode, message: str, errors: list[ErrorItem] | None = None) -> Outcome:
    return Outcome(Status.ERROR, {}, ErrorBody(code=code, message=message, errors=errors or []))


def _turn(envelope: Mapping[str, Any]) -> tuple[str, int] | tuple[None, None]:
    """Whose turn a command takes whose envelope has a fault elsewhere: those after it are not to wait for it."""
    key, number = _text(envelope.get("partitionkey")), _text(envelope.get("sequence"))
    if not key or len(key) > _LONGEST_KEY or number is None or _SEQUENCE.fullmatch(number) is None:
        return None, None
    return (key, int(number)) if int(number) <= MAX_SEQUENCE else (None, None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and "\x00" not in value else None


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
