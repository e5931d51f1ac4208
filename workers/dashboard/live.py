"""The latest snapshot, shared by all who look: asked for once a second at most, and only while somebody looks."""

from threading import Lock

from workers.figures.snapshot import Figures, Source
from workers.now import monotonic

_FRESH_S = 0.8


class Latest:
    """Any number of threads may ask."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = Lock()
        self._figures: Figures | None = None
        self._taken = 0.0

    def figures(self) -> Figures:
        """A snapshot that is not older than a second; who comes while one is taken waits for it."""
        with self._lock:
            if self._figures is None or monotonic() - self._taken > _FRESH_S:
                self._figures = self._source.look()
                self._taken = monotonic()
            return self._figures

    def close(self) -> None:
        """Closes the connections."""
        self._source.close()
