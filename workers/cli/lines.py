"""Envelopes as JSON lines: all of them checked before the first is used, and then read a second time.

What comes through a pipe is put aside in between, on disk where it is much.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from messages.canonical import sign
from messages.client.composing import SigningKey
from messages.envelope import Envelope
from messages.errors import ErrorCode, Refused
from messages.ids import uuid7
from messages.registry import BATCH
from messages.wire import decode, encode
from workers.cli.checking import described, faults_of_data, faults_of_type
from workers.now import now

_FAULTS_SHOWN = 20
_IN_MEMORY = 64 * 1_048_576


@dataclass(frozen=True, slots=True)
class Filling:
    """What a line may leave out: an attribute that it does not have is given to it."""

    source: str
    max_bytes: int
    max_depth: int
    #: results are to be read here, so that a line can neither have a reply address nor be a batch
    answered_here: bool = False
    #: what has no signature gets one; for results that are read here, the client does that
    key: SigningKey | None = None

    def fill(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """The envelope of a line. One that is signed is left as it is: its signature covers every attribute."""
        if "signature" in line:
            return dict(line)
        given = {"specversion": "1.0", "id": str(uuid7()), "source": self.source, "time": now().isoformat()}
        filled = {**given, **line}
        return filled if self.key is None or self.answered_here else _signed(filled, self.key)


def _signed(envelope: dict[str, Any], key: SigningKey) -> dict[str, Any]:
    """Of a batch the commands are signed as well: each stands for itself. What cannot be signed stays as it is."""
    data = envelope.get("data")
    commands = data.get("commands") if envelope.get("type") == BATCH and isinstance(data, dict) else None
    if isinstance(commands, list):
        inner = [
            _signed(each, key) if isinstance(each, dict) and "signature" not in each else each
            for each in commands
        ]
        envelope = {**envelope, "data": {**envelope["data"], "commands": inner}}
    try:
        return {**envelope, "signature": sign(envelope, *key)}
    except ValueError as error:
        raise Refused(ErrorCode.INVALID_MESSAGE, f"cannot be signed: {error}") from None


@dataclass(slots=True)
class Checked:
    """How many envelopes there are, and what is wrong with them."""

    envelopes: int = 0
    wrong: int = 0
    faults: list[str] = field(default_factory=list)


@contextmanager
def rereadable(path: str) -> Iterator[IO[bytes]]:
    """The file, or standard input for `-`, as something that can be read twice."""
    with nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as given:
        if path != "-" and given.seekable():
            yield given
            return
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as aside:
            for line in given:
                aside.write(line)
            yield aside


def check(lines: IO[bytes], filling: Filling) -> Checked:
    """Goes through all lines. Blank ones do not count."""
    checked = Checked()
    for number, text in _numbered(lines):
        faults = _faults_of(text, filling)
        checked.envelopes += 1
        checked.wrong += bool(faults)
        for fault in faults:
            if len(checked.faults) < _FAULTS_SHOWN:
                checked.faults.append(f"line {number}: {fault}")
    return checked


def envelopes_in(lines: IO[bytes], filling: Filling) -> Iterator[tuple[int, dict[str, Any]]]:
    """The envelopes with their line numbers, once they have been checked."""
    for number, text in _numbered(lines):
        yield number, filling.fill(decode(text, max_bytes=filling.max_bytes, max_depth=filling.max_depth))


def _numbered(lines: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    lines.seek(0)
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text:
            yield number, text


def _faults_of(text: bytes, filling: Filling) -> list[str]:
    try:
        line = decode(text, max_bytes=filling.max_bytes, max_depth=filling.max_depth)
    except Refused as refused:
        # Each line is a text of its own.
        return [refused.message.replace(" at line 1 column", " at column")]
    if not isinstance(line, dict):
        return ["should be a JSON object, one envelope a line"]
    try:
        filled = filling.fill(line)
    except Refused as refused:
        return [refused.message]
    size = len(encode(filled))
    if size > filling.max_bytes:
        return [f"the envelope has {size} bytes; at most {filling.max_bytes} are allowed"]
    return _faults_of_envelope(filled) or (_cannot_be_answered_here(line) if filling.answered_here else [])


def _faults_of_envelope(envelope: Mapping[str, Any]) -> list[str]:
    try:
        attributes = Envelope.model_validate(envelope)
    except ValidationError as invalid:
        return described(invalid)
    faults = faults_of_type(attributes.type) or faults_of_data(attributes.type, attributes.data)
    if faults or attributes.type != BATCH:
        return faults
    return [
        f"data.commands.{index}: {fault}"
        for index, inner in enumerate(attributes.data["commands"])
        for fault in _faults_of_envelope(inner)
    ]


def _cannot_be_answered_here(line: Mapping[str, Any]) -> list[str]:
    if line.get("type") == BATCH:
        return [
            "a batch has no answer of its own: without --wait, or with its commands as lines of their own"
        ]
    if line.get("replyto") is not None:
        return ["has a replyto: its result goes there, and --wait could not see it"]
    if "signature" in line:
        return ["is signed: for --wait it would need a replyto, which its signature does not cover"]
    return []
