"""Many envelopes sent, and their answers as they come."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future as AnyFuture
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, cast

from messages.client import Client, Result
from messages.errors import ErrorCode, Refused
from messages.results import Status

# So many may wait for their answers at once: more would only fill the memory.
_WINDOW = 5_000


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the envelope on a line: `data` of its result."""

    line: int
    message_type: str
    data: dict[str, Any]


class Silence(Exception):
    """Raised when no more answers come; `missing` are the lines that wait for one."""

    def __init__(self, missing: list[int]) -> None:
        super().__init__(f"{len(missing)} answers are missing")
        self.missing = missing


def answers_to(
    client: Client, envelopes: Iterable[tuple[int, dict[str, Any]]], timeout: float
) -> Iterator[Answer]:
    """Sends the envelopes, in order, and gives their answers in the order in which they come.

    Raises:
        Silence: after `timeout` seconds without any answer.
    """
    came: SimpleQueue[tuple[int, str, AnyFuture[Result]]] = SimpleQueue()
    waiting: set[int] = set()
    for line, envelope in envelopes:
        yield from _send(client, line, envelope, came, waiting)
        while len(waiting) >= _WINDOW or not came.empty():
            yield _next(came, waiting, timeout)
    while waiting:
        yield _next(came, waiting, timeout)


def _send(
    client: Client, line: int, envelope: dict[str, Any], came: SimpleQueue[Any], waiting: set[int]
) -> Iterator[Answer]:
    message_type = envelope["type"]
    attributes = {name: value for name, value in envelope.items() if name not in ("type", "data")}
    try:
        future = client.send(
            message_type, envelope.get("data") or {}, raise_on_error=False, **cast(Any, attributes)
        )
    except Refused as refused:
        # Two lines of one id that ask for different things.
        yield Answer(line, message_type, _error(refused.code, refused.message))
        return
    waiting.add(line)
    future.add_done_callback(partial(_note, came, line, message_type))


def _note(came: SimpleQueue[Any], line: int, message_type: str, future: AnyFuture[Result]) -> None:
    came.put((line, message_type, future))


def _next(came: SimpleQueue[Any], waiting: set[int], timeout: float) -> Answer:
    try:
        line, message_type, future = came.get(timeout=timeout)
    except Empty:
        raise Silence(sorted(waiting)) from None
    waiting.discard(line)
    return Answer(line, message_type, future.result().data)


def _error(code: ErrorCode, message: str) -> dict[str, Any]:
    return {"status": Status.ERROR, "error": {"code": code, "message": message, "errors": []}}
