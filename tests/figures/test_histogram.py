import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.figures.histogram import BOUNDS_S, Histogram

DURATIONS = st.lists(st.floats(min_value=0.0005, max_value=300), min_size=1, max_size=200)


def of(*seconds: float) -> Histogram:
    histogram = Histogram()
    histogram.add_all(seconds)
    return histogram


def test_nothing_counted_has_no_percentile() -> None:
    assert Histogram().quantile(0.5) is None


@given(DURATIONS, st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_lies_in_the_class_of_the_true_one(durations: list[float], share: float) -> None:
    told = of(*durations).quantile(share)
    assert told is not None
    above = next(bound for bound in BOUNDS_S if bound >= told)
    below = max((bound for bound in BOUNDS_S if bound < told), default=0.0)
    wanted = share * len(durations)
    assert sum(each <= above for each in durations) >= wanted
    assert sum(each <= below for each in durations) <= wanted


@given(DURATIONS)
def test_percentiles_do_not_fall(durations: list[float]) -> None:
    histogram = of(*durations)
    told = [histogram.quantile(share) or 0.0 for share in (0.0, 0.25, 0.5, 0.95, 0.99, 1.0)]
    assert told == sorted(told)


@given(DURATIONS, DURATIONS)
def test_what_was_counted_since_makes_the_whole_again(first: list[float], then: list[float]) -> None:
    before = of(*first)
    after = before.copy()
    after.add_all(then)
    before.merge(after.since(before))
    assert before.counts == after.counts


def test_a_duration_above_the_last_bound_is_told_as_that_bound() -> None:
    assert of(10_000.0).quantile(0.5) == BOUNDS_S[-1]


def test_clocks_that_differ_make_no_negative_duration() -> None:
    histogram = of(-5.0)
    assert (histogram.counts[0], histogram.sum_s) == (1, 0.0)


def test_coarse_counts_rise_to_the_total() -> None:
    counts = [count for _, count in of(0.001, 0.2, 0.2, 99_999.0).coarse()]
    assert counts == sorted(counts)
    assert counts[-1] == 4


@pytest.mark.parametrize("times", [1, 7])
def test_a_batch_counts_as_many_times_as_it_has_commands(times: int) -> None:
    histogram = Histogram()
    histogram.add(0.25, times)
    assert (histogram.total, histogram.sum_s) == (times, 0.25 * times)
