"""Reports: once a second each worker that did something adds one entry to the stream `NAMESPACE:figures`.

Nothing is sent for a batch. The entry's id is Redis's own time, so that the clocks of workers need not agree, and
old entries are trimmed as new ones come. Nobody acts on a report: what is lost is a second of a figure.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import redis
from pydantic_core import from_json, to_json

from workers.figures.histogram import Histogram
from workers.figures.tally import Counts, Tally
from workers.now import now

log = logging.getLogger(__name__)

_EVERY_S = 1.0
#: how long reports are kept
KEPT_S = 300
#: Keeps the stream short however many workers report.
_MOST = 20_000
_RATE_OVER_S = 10


class Reporter(Thread):
    """Tells Redis once a second what this process has counted since; nothing if that is nothing."""

    def __init__(self, tally: Tally, client: redis.Redis, namespace: str) -> None:
        super().__init__(name="reports", daemon=True)
        self._tally, self._client, self._key = tally, client, key_of(namespace)
        self._told = Counts()
        self._stopped = Event()

    def run(self) -> None:
        """Until it is closed; the trouble of Redis is for others to tell of."""
        while not self._stopped.wait(_EVERY_S):
            self.report()

    def close(self) -> None:
        """Sends what is left, and ends."""
        self._stopped.set()
        if self.is_alive():
            self.join(2 * _EVERY_S)
        self.report()

    def report(self) -> None:
        """One entry, if there is something to tell. What cannot be sent is told with the next one."""
        counts = self._tally.snapshot()
        entry = entry_of(counts, self._told)
        if entry is None:
            return
        oldest = int((now().timestamp() - KEPT_S) * 1000)
        try:
            self._client.xadd(self._key, entry, minid=oldest, approximate=True)
        except (redis.RedisError, OSError) as error:
            log.debug("a report is late", extra={"error": str(error)})
        else:
            self._told = counts


@dataclass(frozen=True, slots=True)
class Recent:
    """What was done lately: commands in each of the last whole seconds, oldest first, and over the whole time."""

    per_second: Sequence[int]
    window_s: int
    statuses: Mapping[str, int]
    trips: Histogram

    @property
    def rate(self) -> float:
        """Commands a second, over the last ten seconds."""
        last = self.per_second[-_RATE_OVER_S:]
        return sum(last) / len(last) if last else 0.0


def key_of(namespace: str) -> str:
    """The stream of reports."""
    return f"{namespace}:figures"


def entry_of(counts: Counts, told: Counts) -> dict[Any, Any] | None:
    """The fields of a report: how many commands ended by status, and how many had which round trip."""
    statuses: Counter[str] = Counter()
    for (_, status), count in counts.commands.items():
        statuses[status] += count
    for (_, status), count in told.commands.items():
        statuses[status] -= count
    statuses["REPLAYED"] += counts.replayed - told.replayed
    grown = {status: count for status, count in statuses.items() if count}
    if not grown:
        return None
    trips = counts.stages["total"].since(told.stages["total"])
    return {"statuses": to_json(grown), "trips": to_json(trips)}


def recent(client: redis.Redis, namespace: str, window_s: int) -> Recent:
    """The reports of the last `window_s` whole seconds.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    seconds, _ = client.time()
    # The second that is running is not over; what workers did in the one before may still be on its way.
    first, end = int(seconds) - window_s - 1, int(seconds) - 1
    entries: Any = client.xrange(key_of(namespace), f"{first * 1000}-0", f"({end * 1000}-0", count=_MOST)
    return summed(entries, first, window_s)


def summed(entries: Iterable[tuple[bytes, Mapping[bytes, bytes]]], first: int, window_s: int) -> Recent:
    """All reports of these seconds in one; `first` is the second of the epoch in which they begin."""
    per_second, statuses, trips = [0] * window_s, Counter[str](), Histogram()
    for entry_id, fields in entries:
        second = int(entry_id.partition(b"-")[0]) // 1000 - first
        ended: dict[str, int] = from_json(fields.get(b"statuses", b"{}"))
        if 0 <= second < window_s:
            per_second[second] += sum(ended.values())
            statuses.update(ended)
            classes: dict[str, int] = from_json(fields.get(b"trips", b"{}"))
            trips.merge({int(number): count for number, count in classes.items()})
    return Recent(per_second, window_s, dict(statuses), trips)
