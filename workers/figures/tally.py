"""What one process counts of its own work: once for each batch, in its memory alone."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from workers.figures.histogram import Histogram

# dramatiq's encoders write it last. One that stands elsewhere is not looked for in a large message.
_ENQUEUED = re.compile(rb'"message_timestamp": ?([0-9]{12,14})\b')
_TAIL = 256


@dataclass(slots=True)
class Counts:
    """Commands by (type, status), and durations in seconds by stage.

    Stages: `wait` from enqueuing to the beginning of work, `apply` the transaction, `publish` the results;
    `total` from enqueuing until the results are published. A command of a batch takes as long as its batch.
    """

    commands: Counter[tuple[str, str]] = field(default_factory=Counter)
    replayed: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    batch_sizes: Counter[int] = field(default_factory=Counter)
    stages: dict[str, Histogram] = field(
        default_factory=lambda: {stage: Histogram() for stage in ("wait", "apply", "publish", "total")}
    )

    @property
    def answered(self) -> int:
        """All commands that ended here."""
        return sum(self.commands.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTimes:
    """When what happened to a batch: seconds of the epoch; and when its messages were enqueued."""

    began: float
    applied: float
    published: float
    enqueued: tuple[float, ...] = ()


class Tally:
    """Shared by all threads of a process."""

    def __init__(self) -> None:
        self._counts = Counts()
        self._lock = Lock()

    def batch(self, outcomes: Mapping[tuple[str, str], int], replayed: int, times: BatchTimes) -> None:
        """A batch is answered. `outcomes`: how many commands came to (type, status)."""
        size = sum(outcomes.values()) + replayed
        with self._lock:
            counts = self._counts
            counts.commands.update(outcomes)
            counts.replayed += replayed
            counts.batches += 1
            counts.batch_sizes[size] += 1
            counts.stages["apply"].add(times.applied - times.began, size)
            counts.stages["publish"].add(times.published - times.applied, size)
            counts.stages["wait"].add_all(times.began - each for each in times.enqueued)
            counts.stages["total"].add_all(times.published - each for each in times.enqueued)

    def retried(self, reason: str) -> None:
        """A transaction is tried again: the SQLSTATE, or `unavailable`."""
        with self._lock:
            self._counts.retries[reason] += 1

    def snapshot(self) -> Counts:
        """All counts as they are now."""
        with self._lock:
            counts = self._counts
            return Counts(
                commands=Counter(counts.commands),
                replayed=counts.replayed,
                retries=Counter(counts.retries),
                batches=counts.batches,
                batch_sizes=Counter(counts.batch_sizes),
                stages={stage: histogram.copy() for stage, histogram in counts.stages.items()},
            )


def enqueued_at(bodies: Iterable[bytes]) -> tuple[float, ...]:
    """When these messages were enqueued, by their producers' clocks, in seconds; those that say so."""
    found = (_ENQUEUED.search(body, max(0, len(body) - _TAIL)) for body in bodies)
    return tuple(int(each[1]) / 1000 for each in found if each is not None)
