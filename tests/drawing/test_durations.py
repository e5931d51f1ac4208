"""Lengths of time, as people say them, and the marks of an axis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.drawing.durations import STEPS, in_words, ticks


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.00025, "250 µs"),
        (0.04, "40 ms"),
        (0.9996, "1 s"),
        (1.25, "1.25 s"),
        (12.54, "12.5 s"),
        (59.96, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (356_400, "4 d 3 h"),
        (-2, "-2 s"),
    ],
)
def test_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@given(st.floats(1e-3, 1e10), st.integers(2, 40))
def test_marks_are_few_evenly_spaced_and_reach_the_end(seconds: float, most: int) -> None:
    marks = ticks(seconds, most)
    assert marks[0] == 0
    assert len(marks) <= most + 1
    assert marks[-1] <= seconds * (1 + 1e-9)
    if seconds < STEPS[-1]:
        assert len(marks) > 1
        assert seconds - marks[-1] <= marks[1] * (1 + 1e-9)


def test_marks_of_a_run_of_a_minute_are_at_round_seconds() -> None:
    assert ticks(61, 8) == [0, 10, 20, 30, 40, 50, 60]
