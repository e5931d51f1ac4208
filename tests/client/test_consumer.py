"""Following streams as a member of a group."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from redis import Redis

from messages.consumer import BrokerUnreachable, Consumer, Event
from tests.client.stand_in import Envelope, event_of

Publish = Callable[..., None]


@pytest.fixture
def redis(redis_url: str) -> Iterator["Redis"]:
    with Redis.from_url(redis_url, decode_responses=True, protocol=2) as connection:
        yield connection


@pytest.fixture
def publish(redis: "Redis", namespace: str) -> Publish:
    def to(*events: Envelope, stream: str = "events") -> None:
        for event in events:
            redis.xadd(f"{namespace}:{stream}", {"event": json.dumps(event)})

    return to


@pytest.fixture
def consumer(redis_url: str, namespace: str) -> Iterator[Callable[..., Consumer]]:
    made: list[Consumer] = []

    def make(stream: str = "events", group: str = "audit", **options: object) -> Consumer:
        settings: dict[str, object] = {"timeout": 0.1, **options}
        made.append(Consumer(redis_url, stream, group, namespace=namespace, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def ids(events: Iterator[Event] | Consumer) -> list[str]:
    """The ids of all events to come."""
    return [event.id for event in events]


def test_events_come_with_their_attributes(consumer: Callable[..., Consumer], publish: Publish) -> None:
    envelope = event_of(
        "flow_run.state_changed",
        subject="run",
        data={"status": "ACCEPT"},
        causationid="command",
        correlationid="story",
        partitionkey="run",
        sequence="3",
        time="2026-11-23T05:09:21Z",
    )
    publish(envelope)
    (event,) = consumer()
    assert event == Event(
        id=envelope["id"],
        type="flow_run.state_changed",
        subject="run",
        data={"status": "ACCEPT"},
        causationid="command",
        correlationid="story",
        partitionkey="run",
        sequence="3",
        time="2026-11-23T05:09:21Z",
        raw=envelope,
        entry_id=event.entry_id,
    )


def test_events_come_in_their_order_and_once(consumer: Callable[..., Consumer], publish: Publish) -> None:
    events = [event_of() for _ in range(250)]
    publish(*events)
    reader = consumer()
    assert ids(reader) == [event["id"] for event in events]
    assert ids(reader) == []


def test_a_repeated_event_is_dropped(
    consumer: Callable[..., Consumer], publish: Publish, redis: "Redis", namespace: str
) -> None:
    first, second = event_of(), event_of()
    publish(first, first, second, first)
    assert ids(consumer()) == [first["id"], second["id"]]
    assert redis.xpending(f"{namespace}:events", "audit")["pending"] == 0


def test_only_so_many_ids_are_remembered(consumer: Callable[..., Consumer], publish: Publish) -> None:
    first, second, third = event_of(), event_of(), event_of()
    reader = consumer(remember=2)
    publish(first, second, third)
    assert len(ids(reader)) == 3
    publish(first, third)
    assert ids(reader) == [first["id"]]


def test_an_event_is_acknowledged_when_the_next_one_is_asked_for(
    consumer: Callable[..., Consumer], publish: Publish, redis: "Redis", namespace: str
) -> None:
    publish(event_of(), event_of())
    reader = consumer(prefetch=1)
    next(reader)
    assert redis.xpending(f"{namespace}:events", "audit")["pending"] == 1
    next(reader)
    assert redis.xpending(f"{namespace}:events", "audit")["pending"] == 1
    with pytest.raises(StopIteration):
        next(reader)
    assert redis.xpending(f"{namespace}:events", "audit")["pending"] == 0


def test_an_event_whose_handling_failed_comes_again(
    consumer: Callable[..., Consumer], publish: Publish
) -> None:
    first, second = event_of(), event_of()
    publish(first, second)
    reader = consumer()

    def handle() -> None:
        for _ in reader:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        handle()
    assert ids(reader) == [first["id"], second["id"]]


def test_an_event_acknowledged_by_hand_does_not_come_again(
    consumer: Callable[..., Consumer], publish: Publish
) -> None:
    first, second = event_of(), event_of()
    publish(first, second)
    reader = consumer()
    for event in reader:
        reader.ack(event)
        break
    assert ids(reader) == [second["id"]]


def test_without_automatic_acknowledgement_an_event_stays_until_it_is_acknowledged(
    consumer: Callable[..., Consumer], publish: Publish, redis: "Redis", namespace: str
) -> None:
    publish(event_of(), event_of(), event_of())
    reader = consumer(automatic=False)
    events = list(reader)
    assert redis.xpending(f"{namespace}:events", "audit")["pending"] == 3
    reader.ack(events[1])
    reader.ack(events[1])
    pending = redis.xpending_range(f"{namespace}:events", "audit", "-", "+", 10)
    assert [item["message_id"] for item in pending] == [events[0].entry_id, events[2].entry_id]


def test_a_claimed_event_of_a_dead_consumer_is_seen_once(
    consumer: Callable[..., Consumer], publish: Publish
) -> None:
    events = [event_of() for _ in range(5)]
    publish(*events)
    dead = consumer()
    handled = next(dead)
    next(dead)
    heirs = [consumer(claim_after=0.3, timeout=1.2), consumer(claim_after=0.3, timeout=1.2)]
    seen: list[str] = []
    threads = [threading.Thread(target=lambda heir=heir: seen.extend(ids(heir))) for heir in heirs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted(event["id"] for event in events if event["id"] != handled.id)


def test_a_consumer_that_comes_back_gets_what_it_had_not_acknowledged(
    consumer: Callable[..., Consumer], publish: Publish
) -> None:
    first, second = event_of(), event_of()
    publish(first, second)
    next(consumer(name="one"))
    assert ids(consumer(name="one")) == [first["id"], second["id"]]


def test_what_lay_here_for_long_is_not_handled_twice(
    consumer: Callable[..., Consumer], publish: Publish
) -> None:
    events = [event_of() for _ in range(3)]
    publish(*events)
    slow = consumer(claim_after=0.2)
    next(slow)
    time.sleep(0.3)
    taken = ids(consumer(claim_after=0.2))
    assert sorted(taken + ids(slow)) == sorted(event["id"] for event in events)


def test_the_members_of_a_group_share_the_events_and_groups_do_not(
    consumer: Callable[..., Consumer], publish: Publish
) -> None:
    one, other = consumer(prefetch=1), consumer(prefetch=1)
    publish(*(event_of() for _ in range(4)))
    shared = [event.id for event in islice(one, 2)] + [event.id for event in islice(other, 2)]
    assert len(set(shared)) == 4
    assert len(ids(consumer(group="billing"))) == 4


def test_a_group_can_begin_with_what_is_new(consumer: Callable[..., Consumer], publish: Publish) -> None:
    publish(event_of())
    reader = consumer(start="new")
    late = event_of()
    publish(late)
    assert ids(reader) == [late["id"]]


def test_what_is_no_event_does_not_stop_the_others(
    consumer: Callable[..., Consumer], publish: Publish, redis: "Redis", namespace: str
) -> None:
    redis.xadd(f"{namespace}:events", {"event": "{"})
    redis.xadd(f"{namespace}:events", {"other": "[]"})
    event = event_of()
    publish([], event)
    assert ids(consumer()) == [event["id"]]
    assert redis.xpending(f"{namespace}:events", "audit")["pending"] == 0


def test_notifications_and_replies_are_streams_too(
    consumer: Callable[..., Consumer], publish: Publish
) -> None:
    publish(event_of(), stream="notifications:ops")
    publish(event_of(), stream="replies:billing")
    assert len(ids(consumer("notifications:ops"))) == 1
    assert len(ids(consumer("replies:billing"))) == 1


def test_a_consumer_stops_when_it_is_told(consumer: Callable[..., Consumer], publish: Publish) -> None:
    reader = consumer(timeout=None)
    seen: list[Event] = []
    thread = threading.Thread(target=lambda: seen.extend(reader))
    thread.start()
    publish(event_of())
    time.sleep(0.05)
    reader.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert len(seen) == 1


def test_a_closed_consumer_leaves_its_group(
    consumer: Callable[..., Consumer], redis: "Redis", namespace: str, publish: Publish
) -> None:
    publish(event_of())
    reader = consumer()
    ids(reader)
    reader.close()
    assert redis.xinfo_consumers(f"{namespace}:events", "audit") == []


def test_a_consumer_without_redis_says_so_at_once() -> None:
    with pytest.raises(BrokerUnreachable, match="cannot be reached"):
        Consumer("redis://127.0.0.1:1/0", "events", "audit")
