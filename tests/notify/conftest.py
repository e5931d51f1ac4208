"""A stream of notifications, webhooks to deliver them to, and forwarders in threads."""

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from pydantic_core import to_json
from redis import Redis

from tests.notify.target import Webhook
from workers.notify.forward import Pace
from workers.notify.notice import DEFAULT_TITLE
from workers.notify.process import Order, forward
from workers.notify.targets import open_targets
from workers.now import monotonic
from workers.settings import Settings

with warnings.catch_warnings():
    # Its plugins, loaded with the first URL, look for a module that Python 3.13 has no more; they do without.
    warnings.simplefilter("ignore", DeprecationWarning)
    open_targets(["json://localhost"])

PATIENCE_S = 60.0


class Stream:
    """The stream `notifications:team` of this test, as a relay fills it, and its group `notify`."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis, self.key = redis, f"{namespace}:notifications:team"
        self.create_group()

    def create_group(self) -> None:
        """Before any forwarder: what is told from now on is for it."""
        self._redis.xgroup_create(self.key, "notify", id="0", mkstream=True)

    def tell(self, message: str, **data: Any) -> None:
        """One notification."""
        run_id = str(uuid4())
        whole = {
            "policy_id": str(uuid4()),
            "flow_id": str(uuid4()),
            "flow_name": "etl",
            "flow_run_id": run_id,
            "flow_run_name": "red-fox",
            "flow_run_parameters": {},
            "flow_run_state_type": "FAILED",
            "flow_run_state_name": "Failed",
            "flow_run_state_timestamp": "2026-11-23T05:09:21.246Z",
            "flow_run_state_message": None,
            "message": message,
            **data,
        }
        envelope = {"id": str(uuid4()), "type": "notification", "subject": run_id, "data": whole}
        self._redis.xadd(self.key, {"event": to_json(envelope)})

    @property
    def unacknowledged(self) -> int:
        """How many somebody has read and not acknowledged."""
        pending: Any = self._redis.xpending(self.key, "notify")
        return int(pending["pending"])

    @property
    def groups(self) -> set[str]:
        """Who reads it."""
        return {each["name"].decode() for each in self._redis.xinfo_groups(self.key)}

    @property
    def is_done(self) -> bool:
        """Whether the group has read all there is, and acknowledged it."""
        [group] = [each for each in self._redis.xinfo_groups(self.key) if each["name"] == b"notify"]
        return bool(group["lag"] == 0 and group["pending"] == 0)


@pytest.fixture
def stream(redis_url: str, namespace: str) -> Iterator[Stream]:
    with Redis.from_url(redis_url) as redis:
        yield Stream(redis, namespace)


@pytest.fixture
def redis_settings(redis_url: str, namespace: str) -> Settings:
    """No database: forwarding needs none."""
    return Settings(redis_url=redis_url, namespace=namespace)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A webhook that listens."""
    hook = Webhook().start()
    yield hook
    hook.stop()


@pytest.fixture
def second_webhook() -> Iterator[Webhook]:
    """Another one, that does not listen yet."""
    hook = Webhook()
    yield hook
    hook.stop()


Forward = Callable[..., Callable[[], None]]


@pytest.fixture
def start_forwarder(redis_settings: Settings) -> Iterator[Forward]:
    """Starts a forwarder to these URLs; the answer stops it."""
    running: list[tuple[threading.Event, threading.Thread]] = []

    def start(*urls: str, claim_after_s: float = 60.0, **more: Any) -> Callable[[], None]:
        given = {"stream": "team", "group": "notify", "title": DEFAULT_TITLE, **more}
        order = Order(**given, claim_after_s=claim_after_s)
        pace = Pace(attempt_s=min(5.0, claim_after_s / 3), first_pause_s=0.1, last_pause_s=0.4, look_s=0.1)
        stopped = threading.Event()
        thread = threading.Thread(
            target=forward, args=(redis_settings, order, open_targets(urls), stopped, pace)
        )
        thread.start()

        def stop() -> None:
            stopped.set()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

        running.append((stopped, thread))
        return stop

    yield start
    for stopped, _ in running:
        stopped.set()
    for _, thread in running:
        thread.join(PATIENCE_S)


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Returns when it holds; AssertionError if it does not in time."""
    give_up_at = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < give_up_at, f"in vain: {what}"
        time.sleep(0.01)
