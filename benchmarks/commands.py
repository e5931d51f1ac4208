"""Parts `single` and `bulk`: commands end to end."""

from benchmarks.figures import Figure, across_runs
from benchmarks.flood import flood
from benchmarks.session import Session

BULK = 500
_AHEAD = 10


def single(session: Session) -> list[Figure]:
    """One command a message."""
    return _measured(session, "single", 1)


def bulk(session: Session) -> list[Figure]:
    """Messages of type `batch` with 500 commands each."""
    return _measured(session, "bulk", BULK)


def _measured(session: Session, name: str, batch: int) -> list[Figure]:
    # Enough messages on their way for every thread to have one, and the next one waiting.
    workload = session.workload(name, batch=batch, window=max(session.window, _AHEAD * batch))
    flood(session.stack, workload)  # warms up
    return across_runs(flood(session.stack, workload).figures(name) for _ in range(session.runs))
