"""A snapshot of an installation that has much to tell."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from messages.states import StateType
from store.reads.figures import Runs, Use, Waiting
from workers.figures.histogram import Histogram
from workers.figures.queues import Consumers, QueueFigures
from workers.figures.reports import Recent
from workers.figures.snapshot import DatabaseFigures, Figures, RedisFigures

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _trips() -> Histogram:
    trips = Histogram()
    trips.add_all([0.012] * 90 + [0.048] * 9 + [0.21])
    return trips


REDIS = RedisFigures(
    queues=[
        QueueFigures(name="commands", ready=12_345, in_hand=400, delayed=3, oldest_s=2.5),
        QueueFigures(name="queries", ready=0, in_hand=1, delayed=0, oldest_s=None),
    ],
    consumers=Consumers(alive={"commands": 4, "queries": 4}, silent=0),
    recent=Recent(list(range(60)), 60, {"ACCEPT": 1700, "REJECT": 40, "WAIT": 20, "OK": 10}, _trips()),
    skew_s=0.002,
)
DATABASE = DatabaseFigures(
    runs=Runs({state: 10**number for number, state in enumerate(StateType)}, is_estimated=True),
    waiting={
        "outbox": Waiting(3, NOON - timedelta(seconds=0.5)),
        "unpublished_results": Waiting(0, None),
        "parked_command": Waiting(2, NOON - timedelta(minutes=3)),
        "deferred": Waiting(7, NOON - timedelta(minutes=20)),
        "attempt": Waiting(1, NOON - timedelta(seconds=4)),
        "dead_letter": Waiting(0, None),
    },
    limits=[Use(f"limit-{number}", 10, True, 10 - number % 11) for number in range(40)],
    limits_in_all=40,
    relay_is_active=True,
    clock_is_active=True,
    skew_s=-0.001,
)
BUSY = Figures(at=NOON, redis=REDIS, database=DATABASE)


def with_database(**changed: Any) -> Figures:
    """BUSY, with something else in its database."""
    return replace(BUSY, database=replace(DATABASE, **changed))


def with_redis(**changed: Any) -> Figures:
    """BUSY, with something else in its Redis."""
    return replace(BUSY, redis=replace(REDIS, **changed))
