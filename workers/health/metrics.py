"""Metrics for Prometheus, made from what is counted anyway, when asked for. Base units; see docs/operations.md."""

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from workers.figures.snapshot import DatabaseFigures, Figures, RedisFigures
from workers.figures.tally import Counts

_BATCH_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class OfProcess(Collector):
    """What a worker has counted since it started."""

    def __init__(self, counts: Callable[[], Counts]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        """The families, as they are now."""
        counts = self._counts()
        commands = CounterMetricFamily(
            "interlock_commands", "Commands that ended in this process.", labels=("type", "status")
        )
        for (kind, status), number in sorted(counts.commands.items()):
            commands.add_metric((kind, status), number)
        yield commands
        yield CounterMetricFamily("interlock_replayed", "Copies of commands that had ended.", counts.replayed)
        retries = CounterMetricFamily(
            "interlock_transaction_retries", "Transactions that were tried again.", labels=("reason",)
        )
        for reason, number in sorted(counts.retries.items()):
            retries.add_metric((reason,), number)
        yield retries
        stages = HistogramMetricFamily(
            "interlock_command_seconds", "How long commands took, by stage.", labels=("stage",)
        )
        for stage, histogram in counts.stages.items():
            stages.add_metric((stage,), histogram.coarse(), histogram.sum_s)
        yield stages
        yield _batch_sizes(counts)


class OfInstallation(Collector):
    """What both servers tell. Exposed by the clock, of which there is one that is active, or few."""

    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """The families, as they are now; those of a server that is away are missing, and `up` says so."""
        figures = self._figures()
        up = GaugeMetricFamily("interlock_server_up", "Whether a server answers.", labels=("server",))
        up.add_metric(("postgresql",), float(figures.database is not None))
        up.add_metric(("redis",), float(figures.redis is not None))
        yield up
        yield _skews(figures)
        if figures.redis is not None:
            yield from _of_redis(figures.redis)
        if figures.database is not None:
            yield from _of_database(figures, figures.database)


def registry(role: str, *collectors: Collector) -> CollectorRegistry:
    """What one process exposes."""
    made = CollectorRegistry()
    made.register(_Build(role))
    for each in collectors:
        made.register(each)
    return made


class _Build(Collector):
    def __init__(self, role: str) -> None:
        self._role = role

    def collect(self) -> Iterable[Metric]:
        build = GaugeMetricFamily("interlock_build_info", "Version and role.", labels=("version", "role"))
        build.add_metric((version("interlock"), self._role), 1)
        yield build


def _batch_sizes(counts: Counts) -> Metric:
    sizes = counts.batch_sizes
    buckets = [
        (str(bound), float(sum(number for size, number in sizes.items() if size <= bound)))
        for bound in _BATCH_BOUNDS
    ]
    total = sum(size * number for size, number in sizes.items())
    return HistogramMetricFamily(
        "interlock_batch_size",
        "Commands in one transaction.",
        buckets=[*buckets, ("+Inf", float(counts.batches))],
        sum_value=float(total),
    )


def _skews(figures: Figures) -> Metric:
    skew = GaugeMetricFamily(
        "interlock_clock_skew_seconds",
        "How far a server's clock is ahead of this machine's.",
        labels=("peer",),
    )
    for peer, part in (("postgresql", figures.database), ("redis", figures.redis)):
        if part is not None:
            skew.add_metric((peer,), part.skew_s)
    return skew


def _of_redis(part: RedisFigures) -> Iterator[Metric]:
    depth = GaugeMetricFamily("interlock_queue_depth", "Messages of a queue.", labels=("queue", "part"))
    oldest = GaugeMetricFamily(
        "interlock_queue_oldest_seconds",
        "Age of the first message that is ready; 0: none is.",
        labels=("queue",),
    )
    for queue in part.queues:
        for name, number in (("ready", queue.ready), ("in_hand", queue.in_hand), ("delayed", queue.delayed)):
            depth.add_metric((queue.name, name), number)
        oldest.add_metric((queue.name,), queue.oldest_s or 0.0)
    yield depth
    yield oldest
    yield GaugeMetricFamily(
        "interlock_workers_alive", "Worker processes with a heartbeat.", part.consumers.alive["commands"]
    )


def _of_database(figures: Figures, part: DatabaseFigures) -> Iterator[Metric]:
    waiting = part.waiting
    for name, table, text in (
        ("outbox_waiting", "outbox", "Transactions whose events are not published."),
        ("results_waiting", "unpublished_results", "Transactions whose results may not have left."),
        ("parked_commands", "parked_command", "Commands that wait for their turn."),
        (
            "deferred_commands",
            "deferred",
            "Commands that were told to wait, and are tried again by themselves.",
        ),
        ("failing_commands", "attempt", "Commands that failed and are tried again."),
        ("dead_letters", "dead_letter", "Messages that were given up."),
    ):
        yield GaugeMetricFamily(f"interlock_{name}", text, waiting[table].number)
    yield GaugeMetricFamily(
        "interlock_outbox_waiting_oldest_seconds",
        "Age of the oldest event that is not published; 0: there is none.",
        figures.age_of(waiting["outbox"].oldest) or 0.0,
    )
    runs = GaugeMetricFamily(
        "interlock_flow_runs", "Flow runs; ended ones may be estimated.", labels=("state",)
    )
    for state, number in part.runs.by_state.items():
        runs.add_metric((state.value,), number)
    yield runs
    held = GaugeMetricFamily("interlock_slots_held", "Slots that are held.", labels=("limit",))
    limit = GaugeMetricFamily("interlock_slots_limit", "Slots that there are.", labels=("limit",))
    for use in part.limits:
        held.add_metric((use.name,), use.held)
        limit.add_metric((use.name,), use.limit)
    yield held
    yield limit
