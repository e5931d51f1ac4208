"""Medians, spreads and percentiles."""

import pytest

from benchmarks.figures import Figure, across_runs, latencies, percentile, told


def test_a_figure_tells_its_median_and_its_spread() -> None:
    figure = Figure("single", "commands/s", (5.0, 1.0, 3.0))
    assert (figure.median, figure.lowest, figure.highest) == (3.0, 1.0, 5.0)
    assert figure.as_json()["median"] == 3.0


def test_nothing_measured_is_no_figure() -> None:
    with pytest.raises(ValueError, match="single was not measured"):
        Figure("single", "commands/s", ())


@pytest.mark.parametrize(("share", "wanted"), [(0.5, 50), (0.9, 90), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_a_sample(share: float, wanted: float) -> None:
    assert percentile([float(each) for each in range(100, 0, -1)], share) == wanted


def test_no_samples_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)


def test_runs_are_put_together_by_name_in_the_order_of_the_first() -> None:
    runs = [
        [Figure("a", "ms", (1.0,)), Figure("b", "ms", (2.0,))],
        [Figure("b", "ms", (4.0,)), Figure("a", "ms", (3.0,))],
    ]
    assert across_runs(runs) == [Figure("a", "ms", (1.0, 3.0)), Figure("b", "ms", (2.0, 4.0))]


def test_latencies_are_told_in_milliseconds() -> None:
    told_as = {figure.name: figure.median for figure in latencies("call:", [0.001] * 98 + [0.005, 0.02])}
    assert told_as == {"call: p50": 1.0, "call: p90": 1.0, "call: p99": 5.0, "call: max": 20.0}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (12_345.6, "12,346"), (99.96, "100.0"), (1.234, "1.23"), (0.01234, "0.0123")],
)
def test_numbers_are_told_with_the_digits_that_matter(value: float, text: str) -> None:
    assert told(value) == text
