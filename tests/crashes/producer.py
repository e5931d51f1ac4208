"""A producer that knows nothing but Redis and JSON: the raw dramatiq format, as the contract shows it."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from redis import Redis

Envelope = dict[str, Any]


def envelope(kind: str, data: dict[str, Any], **attributes: Any) -> Envelope:
    """A command or query with a fresh id, unless one is given."""
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "tests",
        "type": kind,
        "data": data,
        **attributes,
    }


def dramatiq_message(queue: str, argument: Any, kind: str, **options: Any) -> tuple[str, str]:
    """Its id in Redis, and its text."""
    ident = str(uuid4())
    message = {
        "queue_name": queue,
        "actor_name": kind,
        "args": [argument],
        "kwargs": {},
        "options": {"redis_message_id": ident, **options},
        "message_id": ident,
        "message_timestamp": int(time.time() * 1000),
    }
    return ident, json.dumps(message)


@dataclass
class Producer:
    """Sends envelopes and reads what comes back."""

    redis: Redis
    namespace: str
    replyto: str = field(default_factory=lambda: f"producer-{uuid4().hex[:8]}")
    _results: "Tail | None" = None
    _events: "Tail | None" = None

    def command(self, kind: str, data: dict[str, Any], **attributes: Any) -> Envelope:
        """An envelope whose result comes to this producer."""
        return envelope(kind, data, **{"replyto": self.replyto, **attributes})

    def send(self, *envelopes: Envelope, queue: str = "commands") -> None:
        """Each in a message of its own, all in one MULTI."""
        key = f"{self.namespace}:{queue}"
        with self.redis.pipeline(transaction=True) as pipe:
            for each in envelopes:
                ident, text = dramatiq_message(queue, each, each["type"])
                pipe.hset(f"{key}.msgs", ident, text)
                pipe.rpush(key, ident)
            pipe.execute()

    def send_batch(self, envelopes: Iterable[Envelope]) -> None:
        """All in one message."""
        self.send(envelope("batch", {"commands": list(envelopes)}))

    def results(self) -> list[Envelope]:
        """All that has come to this producer's reply stream, repeats included, oldest first."""
        if self._results is None:
            self._results = Tail(self.redis, f"{self.namespace}:replies:{self.replyto}")
        return self._results.read()

    def answered(self) -> set[str]:
        """The ids of the commands that have at least one result."""
        return {each["causationid"] for each in self.results()}

    def results_of(self, ident: str) -> list[Envelope]:
        """What has come for one command, oldest first."""
        return [each for each in self.results() if each["causationid"] == ident]

    def events(self) -> list[Envelope]:
        """The whole stream of events, repeats included, oldest first."""
        if self._events is None:
            self._events = Tail(self.redis, f"{self.namespace}:events")
        return self._events.read()


class Tail:
    """A stream from its beginning, read on with each call."""

    def __init__(self, redis: Redis, stream: str) -> None:
        self._redis, self._stream = redis, stream
        self._after = "-"
        self._envelopes: list[Envelope] = []

    def read(self) -> list[Envelope]:
        """All entries so far, each the envelope in its only field."""
        new: Any = self._redis.xrange(self._stream, min=self._after)
        for ident, fields in new:
            assert list(fields) == ["event"]
            self._envelopes.append(json.loads(fields["event"]))
            self._after = f"({ident}"
        return self._envelopes
