"""What both clients have in common: from a command to an envelope to a letter, from a reply to its letter.

Pure, but for the ids and the time that go into envelopes. Not for several threads at once.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, TypedDict
from uuid import UUID

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from messages.client.composing import Composer, SigningKey, reply_name
from messages.client.errors import Unanswered
from messages.client.outstanding import (
    FIRST_QUERY_RESEND_SECONDS,
    FIRST_RESEND_SECONDS,
    LAST_RESEND_SECONDS,
    Letter,
    Outstanding,
)
from messages.client.result import Result, read_result
from messages.errors import ErrorCode, Refused
from messages.fields import Id, JsonObject
from messages.registry import INPUTS
from messages.streams import stream_key

REPLY_TTL_SECONDS = 3_600
TIDY_SECONDS = 60.0
CLOSE_TIMEOUT_SECONDS = 10.0


class ClientOptions(TypedDict, total=False):
    """What a client can be told beside where and who it is.

    signing_key: id and secret with which every command is signed.
    deadline: seconds after which a command without an answer is given up; None (the default) = at `close`.
    close_timeout: seconds for which `close` waits for answers, 10 by default.
    first_resend, last_resend: seconds until a command without an answer is sent again; doubles from 5 to 60.
    first_query_resend: the same of a query, 15 by default. Give some seconds more than the workers'
    `INTERLOCK_QUERY_TIMEOUT`, else a slow query is answered twice. When Redis was away, `first_resend` holds.
    """

    signing_key: SigningKey | None
    deadline: float | None
    close_timeout: float
    first_resend: float
    last_resend: float
    first_query_resend: float


class Attributes(TypedDict, total=False):
    """Attributes of the envelope that the sender may choose; see contract, section 2."""

    id: Id | str
    time: Any
    correlationid: str
    partitionkey: str
    sequence: str
    expirytime: Any
    traceparent: str
    tracestate: str


class Correspondence:
    """The envelopes of one client, and those of them that wait for an answer."""

    def __init__(self, source: str, namespace: str, options: ClientOptions) -> None:
        self.namespace = namespace
        name = reply_name(source)
        self.stream = stream_key(namespace, f"replies:{name}")
        self.composer = Composer(source, name, options.get("signing_key"))
        self.outstanding = Outstanding(
            options.get("first_resend", FIRST_RESEND_SECONDS),
            options.get("last_resend", LAST_RESEND_SECONDS),
            options.get("first_query_resend", FIRST_QUERY_RESEND_SECONDS),
        )
        self.close_timeout = options.get("close_timeout", CLOSE_TIMEOUT_SECONDS)
        self._deadline = options.get("deadline")

    def deadline(self, now: float, seconds: float | None) -> float | None:
        """The moment at which a command sent now is given up, if ever."""
        seconds = self._deadline if seconds is None else seconds
        return None if seconds is None else now + seconds

    def outgoing(self, letters: Iterable[Letter]) -> list[JsonObject]:
        """The envelopes to be put on the queues for these letters, in order; batched ones together."""
        envelopes: list[JsonObject] = []
        for batched, group in groupby(letters, key=lambda letter: letter.batched):
            inner = [letter.envelope for letter in group]
            if not batched:
                envelopes.extend(inner)
                continue
            for envelope, ids in self.composer.batches(inner):
                self.outstanding.sent_as_batch(envelope["id"], ids)
                envelopes.append(envelope)
        return envelopes

    def answered(self, text: bytes | None) -> tuple[Result | None, list[Letter]]:
        """The result in an entry of the reply stream, and the letters it answers; a repeat answers none."""
        try:
            envelope = from_json(text or b"null")
        except ValueError:
            envelope = None
        result = read_result(envelope) if isinstance(envelope, dict) else None
        return result, self.outstanding.answered(result) if result else []


def give_up(letters: Iterable[Letter], reason: str) -> None:
    """Tells whoever waits that no answer came."""
    for letter in letters:
        letter.fail(Unanswered(letter.id, f"{letter.envelope['type']} {letter.id}: {reason}"))


def checked(message_type: str, fields: Mapping[str, Any]) -> JsonObject:
    """The data of a command or query, as the model of its type has them.

    Raises:
        Refused: `invalid_message` with `{loc, msg, type}` for each fault.
    """
    try:
        given = {name: _plain(value) for name, value in fields.items()}
    except ValueError as error:
        raise Refused(ErrorCode.INVALID_MESSAGE, f"{message_type}: not JSON: {error}") from None
    try:
        INPUTS[message_type].model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        items: list[Any] = [{**item, "loc": list(item["loc"])} for item in faults]
        raise Refused(ErrorCode.INVALID_MESSAGE, f"{message_type}: {error}", items) from None
    return given


def _plain(value: Any) -> Any:
    """Models travel as what was set in them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    return str(value) if isinstance(value, UUID) else value
