"""A stand-in for the workers: takes messages off the queues with plain Redis commands, and answers them as told."""

import json
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from redis import Redis
from redis.exceptions import RedisError

Envelope = dict[str, Any]
Answer = Callable[[Envelope], list[Envelope]]


def result_of(command: Envelope, status: str = "OK", **body: Any) -> Envelope:
    """The result of a command, as the workers publish it."""
    return {
        "specversion": "1.0",
        "id": f"result-of-{command['id']}",
        "source": "interlock",
        "type": f"{command['type']}.result",
        "causationid": command["id"],
        "data": {
            "command": {"id": command["id"], "type": command["type"]},
            "status": status,
            "replayed": False,
            "error": None,
            **body,
        },
    }


def error_of(command: Envelope, code: str, message: str = "no") -> Envelope:
    """A result that is an error."""
    return result_of(command, "ERROR", error={"code": code, "message": message, "errors": []})


def event_of(kind: str = "flow_run.created", **attributes: Any) -> Envelope:
    """An event, as the relay publishes it."""
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "interlock",
        "type": kind,
        "data": {},
        **attributes,
    }


class StandIn:
    """Reads both queues in a thread of its own. `answer` says what is published; `seen` is what came."""

    def __init__(self, url: str, namespace: str, answer: Answer | None = None) -> None:
        self.url = url
        self.namespace = namespace
        self.answer = answer or (lambda command: [result_of(command)])
        self.seen: list[Envelope] = []
        self.batches: list[Envelope] = []
        self._came = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "StandIn":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join(5)

    def wait_for(self, number: int, seconds: float = 10) -> list[Envelope]:
        """What has come, once that many commands have."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.seen) >= number, seconds), self.seen
            return list(self.seen)

    def publish(self, command: Envelope, *replies: Envelope) -> None:
        """Puts results on the stream that the command names."""
        with Redis.from_url(self.url) as redis:
            self._publish(redis, command, replies)

    def _publish(self, redis: Any, command: Envelope, replies: Any) -> None:
        for reply in replies:
            redis.xadd(f"{self.namespace}:replies:{command['replyto']}", {"event": json.dumps(reply)})

    def _run(self) -> None:
        queues = [f"{self.namespace}:commands", f"{self.namespace}:queries"]
        while not self._stopped.is_set():
            try:
                with Redis.from_url(self.url, socket_timeout=5) as redis:
                    while not self._stopped.is_set():
                        if taken := redis.blpop(queues, timeout=0.05):
                            self._take(redis, taken[0].decode(), taken[1].decode())
            except RedisError:
                self._stopped.wait(0.05)

    def _take(self, redis: Any, queue: str, message_id: str) -> None:
        message = json.loads(redis.hget(f"{queue}.msgs", message_id))
        redis.hdel(f"{queue}.msgs", message_id)
        (envelope,) = message["args"]
        assert message["actor_name"] == envelope["type"]
        inner = [envelope]
        if envelope["type"] == "batch":
            self.batches.append(envelope)
            inner = envelope["data"]["commands"]
        for command in inner:
            replies = self.answer(command)
            with self._came:
                self.seen.append(command)
                self._came.notify_all()
            self._publish(redis, command, replies)
