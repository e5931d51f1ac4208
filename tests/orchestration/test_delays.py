"""How long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.runs import FlowRunPolicy, TaskRunPolicy
from tests.orchestration.builders import NOW, after
from workers.orchestration.delays import (
    flow_retry_delay,
    jittered,
    retries_allowed,
    task_retry_delay,
    whole_seconds_until,
)


@pytest.mark.parametrize(
    ("ahead", "delay"),
    [(-3, 0), (-0.7, 0), (0, 0), (0.4, 0), (0.5, 0), (0.7, 1), (1.4, 1), (1.5, 1), (1.7, 2), (300, 300)],
)
def test_the_wait_is_in_whole_seconds(ahead: float, delay: int) -> None:
    assert max(0, whole_seconds_until(after(ahead), NOW)) == delay


def test_retries_may_go_by_their_old_names() -> None:
    assert retries_allowed(FlowRunPolicy()) is None
    assert retries_allowed(FlowRunPolicy(retries=0)) == 0
    assert retries_allowed(FlowRunPolicy(max_retries=2)) == 2
    assert retries_allowed(TaskRunPolicy(max_retries=2, retries=1)) == 1
    assert flow_retry_delay(FlowRunPolicy()) == 0
    assert flow_retry_delay(FlowRunPolicy(retry_delay_seconds=2.5)) == 2.5
    assert flow_retry_delay(FlowRunPolicy(retry_delay_seconds=2.5, retry_delay=7)) == 7
    assert task_retry_delay(TaskRunPolicy(retry_delay_seconds=2.5), 1, 0.5) == 2.5


@pytest.mark.parametrize(("run_count", "delay"), [(0, 11), (1, 2), (2, 3), (3, 5), (4, 7), (5, 11), (9, 11)])
def test_a_list_of_delays_is_used_attempt_by_attempt(run_count: int, delay: int) -> None:
    policy = TaskRunPolicy(retry_delay=[2, 3, 5, 7, 11])
    assert task_retry_delay(policy, run_count, 0.5) == delay


@pytest.mark.parametrize("delay", [None, 0, [], [0]])
def test_jitter_on_no_delay_is_no_delay(delay: int | list[int] | None) -> None:
    assert task_retry_delay(TaskRunPolicy(retry_delay=delay, retry_jitter_factor=1), 1, 0.5) == 0


@given(
    st.integers(1, 2**31 - 1),
    st.floats(0.001, 1e9),
    st.floats(0, 1, exclude_max=True),
)
def test_jitter_keeps_a_delay_within_its_bounds(mean: int, factor: float, draw: float) -> None:
    delay = task_retry_delay(TaskRunPolicy(retry_delay=mean, retry_jitter_factor=factor), 1, draw)
    assert 0 <= delay <= min(mean * (1 + factor), mean * 24) * (1 + 1e-6)


def test_the_bounds_of_jitter_balance_each_other() -> None:
    lowest, highest = jittered(10, 0.5, 0), jittered(10, 0.5, 1)
    assert highest == pytest.approx(15)
    assert 1 - 2 ** (-lowest / 10) == pytest.approx(2 ** (-highest / 10))


def test_jitter_spreads_around_the_delay() -> None:
    draws = [jittered(10, 0.5, draw / 1000) for draw in range(1000)]
    assert draws == sorted(draws)
    assert sum(draws) / len(draws) == pytest.approx(10, rel=0.15)
