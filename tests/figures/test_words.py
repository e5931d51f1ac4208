from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic_core import from_json, to_json

from store.reads.figures import Waiting
from tests.figures.examples import BUSY, DATABASE, NOON, with_database, with_redis
from workers.figures.plain import as_json
from workers.figures.queues import Consumers
from workers.figures.snapshot import Figures
from workers.figures.words import duration, needing_attention, number, rate


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "-"),
        (0, "0.0 ms"),
        (0.0042, "4.2 ms"),
        (0.0151, "15 ms"),
        (0.9, "900 ms"),
        (0.9999, "1.0 s"),
        (1.25, "1.2 s"),
        (42.4, "42 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (18_720, "5 h 12 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_have_the_unit_that_fits(seconds: float | None, told: str) -> None:
    assert duration(seconds) == told


def test_rates_have_a_place_after_the_point_where_it_matters() -> None:
    assert [rate(each) for each in (0, 0.4, 12.3, 12_345.6)] == ["0", "0.4", "12", "12,346"]


def test_an_estimate_says_so() -> None:
    assert [number(1_000, is_estimated=True), number(0, is_estimated=True), number(5)] == [
        "≈ 1,000",
        "0",
        "5",
    ]


def test_a_busy_installation_needs_no_attention() -> None:
    assert needing_attention(BUSY) == []


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        (replace(BUSY, database=None, database_trouble="connection refused"), "PostgreSQL does not answer"),
        (replace(BUSY, redis=None, redis_trouble="connection refused"), "Redis does not answer"),
        (with_redis(consumers=Consumers(alive={"commands": 0, "queries": 0}, silent=0)), "interlock worker"),
        (with_database(relay_is_active=False), "no relay is active"),
        (with_database(clock_is_active=False), "no clock is active"),
        (with_database(skew_s=-7.0), "the clock of PostgreSQL differs by 7.0 s"),
        (
            with_database(waiting={**DATABASE.waiting, "dead_letter": Waiting(2, NOON)}),
            "2 dead letters",
        ),
        (
            with_database(waiting={**DATABASE.waiting, "outbox": Waiting(9, NOON - timedelta(minutes=1))}),
            "events have waited",
        ),
    ],
)
def test_what_is_not_well_is_said(figures: Figures, told: str) -> None:
    (sentence,) = needing_attention(figures)
    assert told in sentence


def test_a_replica_that_cannot_know_the_relay_does_not_miss_it() -> None:
    assert needing_attention(with_database(relay_is_active=None, clock_is_active=None)) == []


def test_a_snapshot_is_one_json_object() -> None:
    told = from_json(to_json(as_json(BUSY)))
    assert told["redis"]["queues"]["commands"] == {
        "ready": 12_345,
        "in_hand": 400,
        "delayed": 3,
        "oldest_s": 2.5,
    }
    assert told["database"]["waiting"]["parked_command"]["number"] == 2
    assert told["database"]["waiting"]["parked_command"]["oldest_s"] == pytest.approx(180, abs=0.01)
    assert told["redis"]["commands"]["per_second"] == pytest.approx(54.5)
    assert told["attention"] == []


def test_what_cannot_be_known_is_null() -> None:
    told = as_json(
        replace(BUSY, redis=None, redis_trouble="refused", database=None, database_trouble="refused")
    )
    assert (told["redis"], told["database"]) == (None, None)
