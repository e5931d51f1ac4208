"""Holds the conversation of `story` with a real Interlock, started for it: over Redis alone, as any producer."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from redis import Redis

from docs.generate import story
from docs.generate.story import Said
from messages.enqueue import enqueue

Envelope = dict[str, Any]
NAMESPACE = "interlock"
REPLYTO = "scheduler-1"
_PATIENCE_SECONDS = 20.0


@dataclass
class Held:
    """What was said: each shown command or query with its result; the batch; one event of each type."""

    exchanges: list[tuple[Envelope, Envelope]] = field(default_factory=list)
    events: dict[str, Envelope] = field(default_factory=dict)


def hold() -> Held:
    """Runs the story from its beginning to its end."""
    with _interlock() as redis:
        speaker = _Speaker(redis)
        for said in story.COMMANDS:
            speaker.say(said)
        speaker.say_batch(story.BATCH)
        for said in (*story.QUERIES, *story.ENDINGS):
            speaker.say(said)
        return Held(speaker.exchanges, _events(redis))


class _Speaker:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._number = 0
        self._lease: str | None = None
        self._first: str | None = None
        self.exchanges: list[tuple[Envelope, Envelope]] = []

    def say(self, said: Said) -> None:
        sent = self._envelope(said)
        enqueue(self._redis, NAMESPACE, [sent])
        result = self._answer(sent["id"])
        if said.type == "concurrency_limit.acquire":
            self._lease = result["data"]["lease"]["lease_id"]
        if said.shown:
            self.exchanges.append((sent, result))

    def say_batch(self, parts: tuple[Said, ...]) -> None:
        inner = [self._envelope(said) for said in parts]
        sent = self._envelope(Said("batch", {"commands": inner}))
        del sent["replyto"]
        enqueue(self._redis, NAMESPACE, [sent])
        results = [self._answer(each["id"]) for each in inner]
        self.exchanges.append((sent, results[-1]))

    def _envelope(self, said: Said) -> Envelope:
        self._number += 1
        ident = f"0198b2f0-0000-7000-8000-{self._number:012d}"
        self._first = self._first or ident
        known = {story.LEASE: self._lease, story.FIRST_COMMAND: self._first}
        data = {
            name: known.get(value, value) if isinstance(value, str) else value
            for name, value in said.data.items()
        }
        return {
            "specversion": "1.0",
            "id": ident,
            "source": "scheduler",
            "type": said.type,
            "data": data,
            "replyto": REPLYTO,
            **said.attributes,
        }

    def _answer(self, command_id: str) -> Envelope:
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            for envelope in _stream(self._redis, f"replies:{REPLYTO}"):
                if envelope["causationid"] == command_id:
                    if envelope["data"]["status"] == "ERROR":
                        raise RuntimeError(f"the story should go well: {envelope}")
                    return envelope
            time.sleep(0.01)
        raise TimeoutError(f"no answer to {command_id}")


def _events(redis: Redis) -> dict[str, Envelope]:
    wanted = {"flow_run.deleted", "notification"}
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    found: dict[str, Envelope] = {}
    while not wanted <= set(found):
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"only these events came: {sorted(found)}")
        for envelope in _stream(redis, "events"):
            found.setdefault(envelope["type"], envelope)
        time.sleep(0.05)
    return found


def _stream(redis: Redis, name: str) -> list[Envelope]:
    entries: Any = redis.xrange(f"{NAMESPACE}:{name}")
    return [json.loads(fields["event"]) for _, fields in entries]


@contextmanager
def _interlock() -> Iterator[Redis]:
    with TemporaryDirectory(prefix="interlock-docs-") as home:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.cli.main", "up", "--home", f"{home}/home"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            with Redis.from_url(_redis_url(process), decode_responses=True) as redis:
                yield redis
        finally:
            process.terminate()
            process.wait(timeout=60)


def _redis_url(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    url = None
    for line in process.stdout:
        name, _, value = line.strip().partition("=")
        if name == "INTERLOCK_REDIS_URL":
            url = value
        if name == "ready" and url:
            return url
    raise RuntimeError("`interlock up` did not become ready")


class Plain:
    """Ids and times that came from chance and the clock, replaced by ones that stay the same with each run."""

    def __init__(self, everything: Any) -> None:
        self._ids: dict[str, str] = {}
        times = sorted({text for text in _texts(everything) if _is_time(text)})
        # A hundredth of a second apart, in their order.
        self._times = {
            text: f"2026-11-23T05:{number // 6000:02d}:{number / 100 % 60:09.6f}Z"
            for number, text in enumerate(times)
        }

    def __call__(self, value: Any) -> Any:
        """The same value with plain ids and times."""
        if isinstance(value, dict):
            return {name: self(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self(item) for item in value]
        return self._text(value) if isinstance(value, str) else _number(value)

    def _text(self, value: str) -> str:
        if _is_id(value) and not value.startswith("0198b2f0-0000-"):
            return self._ids.setdefault(value, f"0198b2f0-1111-7000-8000-{len(self._ids) + 1:012d}")
        return self._times.get(value, value)


def _number(value: Any) -> Any:
    """A duration that was measured."""
    return 0.25 if isinstance(value, float) and not value.is_integer() else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _is_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


def _is_time(value: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value) is not None
