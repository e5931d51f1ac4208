from dataclasses import replace

import pytest
from rich.console import Console

from store.reads.figures import Use
from tests.figures.examples import BUSY, with_database
from workers.figures.snapshot import Figures
from workers.top.picture import Size, picture
from workers.top.sparkline import joined, sparkline, stretched

AWAY = replace(BUSY, database=None, database_trouble="connection refused", redis=None, redis_trouble="gone")


def drawn(figures: Figures, width: int = 80, height: int = 24) -> list[str]:
    console = Console(width=width, height=height, color_system=None, markup=False, highlight=False)
    with console.capture() as captured:
        console.print(picture(figures, Size(width, height), "db:5432/interlock", hint="q ends"))
    return captured.get().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (120, 30), (160, 48), (240, 80)])
@pytest.mark.parametrize(
    "figures", [BUSY, AWAY, replace(AWAY, redis=BUSY.redis), replace(AWAY, database=BUSY.database)]
)
def test_a_picture_fits_the_terminal(figures: Figures, width: int, height: int) -> None:
    lines = drawn(figures, width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert lines[-1] == " q ends"


def test_everything_is_on_the_smallest_usual_terminal() -> None:
    text = "\n".join(drawn(BUSY))
    for told in ("12,345", "2.5 s", "3 min", "p99", "accept 1,700", "relay active", "≈ 10,000,000", "10/10"):
        assert told in text, told


def test_a_large_terminal_shows_more_limits() -> None:
    small, large = ("\n".join(drawn(BUSY, *size)).count("limit-") for size in ((80, 24), (160, 48)))
    assert small >= 4
    assert large == 40


def test_a_server_that_is_away_is_told_of_and_the_rest_is_shown() -> None:
    text = "\n".join(drawn(replace(BUSY, redis=None, redis_trouble="connection refused")))
    assert "Redis does not answer: connection refused" in text
    assert "FLOW RUNS" in text


def test_a_name_cannot_move_the_cursor() -> None:
    hostile = Use("a\x1b[2Jb\nc", 1, True, 0)
    text = "\n".join(drawn(with_database(limits=[hostile], limits_in_all=1)))
    assert "\x1b" not in text
    assert "a�[2Jb�c" in text


def test_a_sparkline_is_as_wide_as_its_values_and_as_high_as_the_highest() -> None:
    assert sparkline([0, 1, 7], 10) == "▁▂█"
    assert sparkline([0, 0], 10) == "▁▁"
    assert sparkline([5, 5, 9], 1) == "█"
    assert sparkline([], 10) == ""


def test_little_is_never_drawn_as_nothing() -> None:
    assert sparkline([1, 1_000_000], 2)[0] != "▁"


def test_values_are_joined_or_stretched_to_the_width() -> None:
    assert joined([1, 3, 5, 7], 2) == [2, 6]
    assert joined([1, 3, 5], 2) == [1, 4]
    assert joined([1], 5) == [1]
    assert stretched([1, 2], 5) == [1, 1, 2, 2]
    assert stretched([], 5) == []
