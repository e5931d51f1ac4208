"""How long to wait: for a scheduled time, for the next attempt, and how unevenly."""

from datetime import datetime
from math import expm1, log, log2

from messages.runs import FlowRunPolicy, TaskRunPolicy

SMALLEST_TAIL = 1e-10
FACTOR_WITHOUT_LOWER_BOUND = 50.0


def whole_seconds_until(scheduled_time: datetime, now: datetime) -> int:
    """The seconds from now, to the nearest; exactly half a second counts for nothing.

    So a run that is at most half a second early may start, and nobody is told to come back after 0 seconds.
    """
    seconds = (scheduled_time - now).total_seconds()
    whole = int(seconds)
    return whole + 1 if seconds - whole > 0.5 else whole


def retries_allowed(policy: FlowRunPolicy | TaskRunPolicy) -> int | None:
    """How many attempts may follow the first. Older clients name it `max_retries`, and 0 means not said."""
    return policy.retries or policy.max_retries or policy.retries


def flow_retry_delay(policy: FlowRunPolicy) -> float:
    """Seconds until a flow run's next attempt. Older clients name it `retry_delay_seconds`."""
    return policy.retry_delay or policy.retry_delay_seconds


def task_retry_delay(policy: TaskRunPolicy, run_count: int, draw: float) -> float:
    """Seconds from the attempt with this number to the next; the last delay of a list repeats."""
    delays = policy.retry_delay or policy.retry_delay_seconds
    delay = delays[min(run_count - 1, len(delays) - 1)] if isinstance(delays, list) else delays
    if delay and policy.retry_jitter_factor:
        return jittered(delay, policy.retry_jitter_factor, draw)
    return delay


def jittered(mean: float, factor: float, draw: float) -> float:
    """A clamped interval as between the events of a Poisson process, `mean` seconds long on average.

    Many runs that failed together should not come back together. Such intervals are distributed
    exponentially, P(interval <= x) = 1 - exp(-x / mean). The upper bound is mean * (1 + factor). The lower
    one is where 1 - 2 ** (-x / mean) equals 2 ** (-(1 + factor)), which keeps the average near the mean.
    `draw`, uniform in [0, 1), is carried between the two bounds through the inverse of the distribution.
    """
    lowest, highest = _cumulated(_lower_bound(mean, factor), mean), _cumulated(mean * (1 + factor), mean)
    probability = lowest + draw * (highest - lowest)
    return -mean * log(max(1 - probability, SMALLEST_TAIL))


def _lower_bound(mean: float, factor: float) -> float:
    exponent = 1 + factor
    if exponent >= FACTOR_WITHOUT_LOWER_BOUND:
        return 0.0
    return max(0.0, mean * log2(2**exponent / (2**exponent - 1)))


def _cumulated(interval: float, mean: float) -> float:
    return -expm1(-interval / mean)
