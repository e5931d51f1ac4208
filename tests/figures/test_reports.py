from collections import Counter
from typing import Any

import pytest
from redis import Redis

from messages.enqueue import dramatiq_message
from tests.cli.conftest import NOWHERE
from workers.figures.reports import Reporter, key_of, recent, summed
from workers.figures.tally import BatchTimes, Tally, enqueued_at

TIMES = BatchTimes(began=1000.2, applied=1000.3, published=1000.31, enqueued=(1000.0, 1000.1))
TWO = Counter({("flow_run.set_state", "ACCEPT"): 1, ("flow_run.create", "OK"): 1})


def test_what_a_worker_did_is_told_once(redis: Redis, namespace: str) -> None:
    tally = Tally()
    reporter = Reporter(tally, redis, namespace)
    tally.batch(TWO, 1, TIMES)
    reporter.report()
    reporter.report()
    entries: Any = redis.xrange(key_of(namespace))
    ((entry_id, fields),) = entries
    told = summed([(entry_id, fields)], int(entry_id.split(b"-")[0]) // 1000, 1)
    assert told.statuses == {"ACCEPT": 1, "OK": 1, "REPLAYED": 1}
    assert list(told.per_second) == [3]
    assert told.trips.total == 2


def test_an_idle_worker_sends_nothing(redis: Redis, namespace: str) -> None:
    Reporter(Tally(), redis, namespace).report()
    assert redis.exists(key_of(namespace)) == 0


def test_what_could_not_be_sent_is_told_later(redis: Redis, namespace: str) -> None:
    tally = Tally()
    away = Redis.from_url(f"redis://{NOWHERE}/0")
    reporter = Reporter(tally, away, namespace)
    tally.batch(TWO, 0, TIMES)
    reporter.report()
    reporter._client = redis
    reporter.report()
    assert redis.xlen(key_of(namespace)) == 1


def test_reports_fall_into_the_second_in_which_redis_got_them() -> None:
    entries = [
        (b"10000-0", {b"statuses": b'{"ACCEPT":2}', b"trips": b'{"3":2}'}),
        (b"11999-4", {b"statuses": b'{"ACCEPT":3}', b"trips": b"{}"}),
        (b"12000-0", {b"statuses": b'{"REJECT":1}', b"trips": b"{}"}),
        (b"99000-0", {b"statuses": b'{"REJECT":9}', b"trips": b"{}"}),
    ]
    told = summed(entries, 10, 3)
    assert list(told.per_second) == [2, 3, 1]
    assert told.statuses == {"ACCEPT": 5, "REJECT": 1}


def test_without_reports_every_second_is_empty(redis: Redis, namespace: str) -> None:
    told = recent(redis, namespace, 60)
    assert (sum(told.per_second), len(told.per_second), told.trips.quantile(0.5)) == (0, 60, None)


def test_a_message_tells_when_it_was_enqueued() -> None:
    _, body = dramatiq_message("commands", {"type": "flow.upsert", "data": {"name": "x" * 5_000}})
    (moment,) = enqueued_at([body])
    assert moment > 1_700_000_000


@pytest.mark.parametrize("body", [b"", b"{", b'{"message_timestamp": "soon"}', b'{"message_timestamp": 12}'])
def test_a_message_that_does_not_tell_is_left_out(body: bytes) -> None:
    assert enqueued_at([body]) == ()


def test_retries_are_counted_by_their_reason() -> None:
    tally = Tally()
    tally.retried("40P01")
    tally.retried("40P01")
    tally.retried("unavailable")
    assert tally.snapshot().retries == {"40P01": 2, "unavailable": 1}


def test_a_snapshot_does_not_change_any_more() -> None:
    tally = Tally()
    tally.batch(TWO, 0, TIMES)
    before = tally.snapshot()
    tally.batch(TWO, 0, TIMES)
    assert (before.answered, before.stages["apply"].total) == (2, 2)
