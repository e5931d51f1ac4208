"""How the client writes its envelopes: pure, but for the ids and the time that go into them."""

import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from messages.canonical import sign
from messages.commands.batch import MAX_BATCH
from messages.errors import ErrorCode, Refused
from messages.fields import SOURCE_PATTERN, JsonObject
from messages.ids import uuid7
from messages.registry import BATCH
from messages.wire import MAX_MESSAGE_BYTES, decode, encode

SigningKey = tuple[str, bytes]
# Room for the envelope around a batch, and for dramatiq's message around that.
_BATCH_BYTES = MAX_MESSAGE_BYTES - 8_192


def reply_name(source: str) -> str:
    """The name of one client's reply stream: its source, as far as a name can hold it, and a random part."""
    return f"{re.sub(r'[^A-Za-z0-9._:-]', '.', source)[:60]}.{uuid4().hex}"


class Composer:
    """Writes envelopes for one source, with the stream where it reads the answers."""

    def __init__(self, source: str, replyto: str, signing_key: SigningKey | None = None) -> None:
        if not re.fullmatch(SOURCE_PATTERN, source):
            raise ValueError("a source is 1 to 100 of the characters A-Z a-z 0-9 . _ : / -")
        self._source = source
        self._replyto = replyto
        self._signing_key = signing_key

    def compose(self, message_type: str, data: Any, attributes: Mapping[str, Any]) -> JsonObject:
        """An envelope of plain JSON values, checked against the limits that every message has.

        Raises:
            Refused: `too_large`, or `invalid_message` for what JSON cannot say.
        """
        named = {name: value for name, value in attributes.items() if value is not None}
        envelope = self._plain(
            {
                "specversion": "1.0",
                "id": named.pop("id", None) or uuid7(),
                "source": self._source,
                "type": message_type,
                "time": named.pop("time", None) or datetime.fromtimestamp(time.time(), UTC),
                "datacontenttype": "application/json",
                "data": data,
                "replyto": self._replyto,
                **named,
            }
        )
        return self._signed(envelope)

    def batches(self, envelopes: Iterable[JsonObject]) -> list[tuple[JsonObject, list[str]]]:
        """`batch` envelopes for commands, in order, each within the limits, with the ids that it carries."""
        return [
            (self._signed_batch(group), [inner["id"] for inner in group]) for group in _grouped(envelopes)
        ]

    def _signed_batch(self, commands: list[JsonObject]) -> JsonObject:
        envelope = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": self._source,
            "type": BATCH,
            "time": datetime.fromtimestamp(time.time(), UTC).isoformat(),
            "data": {"commands": commands},
            "replyto": self._replyto,
        }
        return self._signed(envelope)

    def _plain(self, envelope: JsonObject) -> JsonObject:
        try:
            text = encode(envelope)
        except ValueError as error:
            raise Refused(ErrorCode.INVALID_MESSAGE, f"not JSON: {error}") from None
        plain: JsonObject = decode(text)
        return plain

    def _signed(self, envelope: JsonObject) -> JsonObject:
        if self._signing_key is None:
            return envelope
        try:
            return {**envelope, "signature": sign(envelope, *self._signing_key)}
        except ValueError as error:
            raise Refused(ErrorCode.INVALID_MESSAGE, f"cannot be signed: {error}") from None


def _grouped(envelopes: Iterable[JsonObject]) -> Iterable[list[JsonObject]]:
    group: list[JsonObject] = []
    size = 0
    for envelope in envelopes:
        length = len(encode(envelope)) + 1
        if group and (len(group) == MAX_BATCH or size + length > _BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(envelope)
        size += length
    if group:
        yield group
