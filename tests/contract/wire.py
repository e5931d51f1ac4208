"""A producer and consumer that knows nothing but Redis, JSON and the contract."""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from redis import Redis

PATIENCE_S = 60.0
QUERIES = ("read", "list", "count", "states", "graph", "dependencies")
Envelope = dict[str, Any]


@dataclass
class Wire:
    """One producer with a reply stream of its own, on a running Interlock."""

    redis: Redis
    namespace: str
    replyto: str = field(default_factory=lambda: f"r-{uuid4().hex[:10]}")

    def envelope(self, kind: str, data: Any, **attributes: Any) -> Envelope:
        """As a producer writes it; an attribute that is None is left out."""
        whole = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "contract/tests",
            "type": kind,
            "data": data,
            "replyto": self.replyto,
            **attributes,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def put(self, queue: str, body: str, ident: str | None = None) -> None:
        """A body on a queue, as the contract shows it."""
        ident = ident or str(uuid4())
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.hset(f"{self.namespace}:{queue}.msgs", ident, body)
            pipe.rpush(f"{self.namespace}:{queue}", ident)
            pipe.execute()

    def send(self, *envelopes: Envelope) -> None:
        """Each on its queue, in a dramatiq message of its own."""
        for each in envelopes:
            queue = "queries" if each["type"].endswith(QUERIES) else "commands"
            self.put(queue, message(queue, each))

    def answer(self, sent: Envelope, *, number: int = 1) -> Envelope:
        """The result with this number (1 = the first) of a command or query that was sent."""
        give_up_at = time.monotonic() + PATIENCE_S
        while True:
            found = [each for each in self.replies() if each["causationid"] == sent["id"]]
            if len(found) >= number:
                return found[number - 1]
            assert time.monotonic() < give_up_at, f"no result of {sent}"
            time.sleep(0.005)

    def ask(self, kind: str, data: Any, **attributes: Any) -> Envelope:
        """Sends one and waits for its result."""
        sent = self.envelope(kind, data, **attributes)
        self.send(sent)
        return self.answer(sent)

    def data(self, kind: str, data: Any, **attributes: Any) -> Any:
        """Sends one and waits for the data of its result."""
        return self.ask(kind, data, **attributes)["data"]

    def replies(self) -> list[Envelope]:
        """All that came to this producer."""
        return self.stream(f"replies:{self.replyto}")

    def stream(self, name: str) -> list[Envelope]:
        """All envelopes in a stream."""
        entries: Any = self.redis.xrange(f"{self.namespace}:{name}")
        assert all(list(fields) == ["event"] for _, fields in entries), "one field, `event`"
        return [json.loads(fields["event"]) for _, fields in entries]

    def events(self, number: int, *, subject: str | None = None, cause: str | None = None) -> list[Envelope]:
        """At least so many events about an object, or because of a command, each once."""
        give_up_at = time.monotonic() + PATIENCE_S
        while True:
            found = {
                each["id"]: each
                for each in self.stream("events")
                if subject in (None, each["subject"]) and cause in (None, each.get("causationid"))
            }
            if len(found) >= number:
                return list(found.values())
            assert time.monotonic() < give_up_at, f"{len(found)} events where {number} should be: {found}"
            time.sleep(0.01)

    def new_run(self, **data: Any) -> str:
        """The id of a new flow run."""
        given = {"flow_name": f"flow-{uuid4().hex[:8]}", **data}
        return str(self.data("flow_run.create", given)["flow_run"]["id"])

    def set_state(self, run: str, kind: str, **more: Any) -> Any:
        """Proposes a state; the data of the result."""
        return self.data("flow_run.set_state", {"flow_run_id": run, "state": {"type": kind}, **more})


def message(queue: str, argument: Any, **options: Any) -> str:
    """dramatiq's format."""
    ident = str(uuid4())
    return json.dumps(
        {
            "queue_name": queue,
            "actor_name": argument["type"],
            "args": [argument],
            "kwargs": {},
            "options": {"redis_message_id": ident, **options},
            "message_id": ident,
            "message_timestamp": int(time.time() * 1000),
        }
    )


def moment(seconds: float = 0.0) -> str:
    """The time so far from now, RFC 3339."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def error_of(data: Any) -> Any:
    """The error of a result that must be one."""
    assert data["status"] == "ERROR", data
    assert isinstance(data["error"]["message"], str)
    assert isinstance(data["error"]["errors"], list)
    return data["error"]
