"""Times and tables as people read them."""

from datetime import UTC, datetime, timedelta

import pytest
from rich.text import Text

from tests.reads.builders import NOON, at
from workers.cli.failures import Complaint
from workers.cli.fitting import Column, fit, lines
from workers.cli.moments import moment
from workers.runs.times import clock_time, distance, span


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 ms"),
        (0.0042, "4 ms"),
        (12.9, "12 s"),
        (185, "3 m 05 s"),
        (7_800, "2 h 10 m"),
        (356_400, "4 d 3 h"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_units(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


def test_how_far_a_moment_is() -> None:
    assert distance(NOON, at(90)) == "1 m 30 s ago"
    assert distance(at(90), NOON) == "in 1 m 30 s"
    assert clock_time(at(90)) == "2026-05-04 12:01:30Z"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2h", NOON - timedelta(hours=2)),
        ("90s ago", NOON - timedelta(seconds=90)),
        ("+15m", NOON + timedelta(minutes=15)),
        ("1.5d", NOON - timedelta(hours=36)),
        ("now", NOON),
        ("2026-05-04", datetime(2026, 5, 4, tzinfo=UTC)),
        ("2026-05-04T10:30", datetime(2026, 5, 4, 10, 30, tzinfo=UTC)),
        ("2026-05-04T10:30:00+02:00", datetime(2026, 5, 4, 8, 30, tzinfo=UTC)),
        ("2026-05-04 10:30:00Z", datetime(2026, 5, 4, 10, 30, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_time_can_be_written_in_several_ways(given: str | None, meant: datetime | None) -> None:
    assert moment(given, "--since", NOON) == meant


@pytest.mark.parametrize("given", ["", "2 weeks", "h", "12", "tomorrow", "2026-13-01", "-", "99999999999d"])
def test_what_is_no_time_is_wrong_usage(given: str) -> None:
    with pytest.raises(Complaint, match="--since") as complaint:
        moment(given, "--since", NOON)
    assert complaint.value.exit_code == 2


def columns() -> list[Column]:
    return [
        Column("id", [Text("0198"), Text("0199")]),
        Column("name", [Text("a-long-name-indeed"), Text("short")], least=8),
        Column("flow", [Text("etl"), Text("etl")], rank=1),
        Column("took", [Text("9 s"), Text("10 s")], rank=2, right=True),
        Column("tags", [Text(""), Text("")], rank=3),
    ]


def shown(width: int | None) -> list[str]:
    made = columns()
    return [line.plain for line in lines(made, fit(made, width), cut=width is not None)]


def test_with_room_enough_all_is_shown_but_what_is_empty() -> None:
    assert shown(80) == [
        "id    name                flow  took",
        "0198  a-long-name-indeed  etl    9 s",
        "0199  short               etl   10 s",
    ]
    assert "tags" in shown(None)[0]


def test_with_less_room_names_are_cut_first_then_columns_go() -> None:
    assert shown(32)[1] == "0198  a-long-name-i…  etl    9 s"
    assert shown(20)[1] == "0198  a-long-…  etl"
    assert shown(14)[1] == "0198  a-long-…"
    assert shown(1)[1] == "0198  a-long-…", "what has to be shown is shown"


def test_no_line_is_wider_than_the_screen() -> None:
    for width in range(14, 60):
        assert all(len(line) <= width for line in shown(width))
