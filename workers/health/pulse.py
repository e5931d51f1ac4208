"""Whether the loop of a process still turns."""

from workers.now import monotonic


class Pulse:
    """The loop beats; whoever asks hears how long ago. Setting a number needs no lock."""

    def __init__(self) -> None:
        self._last = monotonic()

    def beat(self) -> None:
        """The loop has come round."""
        self._last = monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since the last beat."""
        return monotonic() - self._last
