"""The summary: goals, shares and references."""

import pytest

from benchmarks.figures import Figure
from benchmarks.goals import GOALS, summary


def _figures(**values: float) -> dict[str, Figure]:
    return {name: Figure(name, "", (value,)) for name, value in values.items()}


def test_what_was_not_measured_has_no_line() -> None:
    assert summary({}) == []


def test_a_share_needs_both() -> None:
    (line,) = [
        each for each in summary(_figures(single=600.0, floor=1000.0)) if each.goal.share_of == "floor"
    ]
    assert line.value == pytest.approx(0.6)
    assert line.goal.reached(line.value)


def test_a_reference_of_this_session_comes_before_the_designs() -> None:
    told = {line.reference_name: line.ratio for line in summary(_figures(single=5500.0, plain=110.0))}
    assert told == {"prefect (not measured here)": 100.0, "plain": 50.0}
    names = {line.reference_name for line in summary(_figures(single=5500.0, prefect=50.0))}
    assert "prefect" in names


def test_shorter_is_better_where_the_goal_is_at_most() -> None:
    measured = {
        name: Figure(name, "ms", (value,))
        for name, value in (
            ("round trip of set_state, idle: p50", 2.0),
            ("plain: round trip, idle: p50", 50.0),
        )
    }
    (line,) = summary(measured)
    assert line.goal.reached(line.value)
    assert line.ratio == 25.0


def test_no_goal_stands_twice() -> None:
    keys = [(goal.figure, goal.share_of, goal.reference) for goal in GOALS]
    assert len(keys) == len(set(keys))
