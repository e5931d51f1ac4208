"""The only clock. Time enters everything else as an argument."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class _Set:
    """It was this late when the seconds that are never set back stood there."""

    moment: datetime
    monotonic_s: float


_set: _Set | None = None


def now() -> datetime:
    """This moment, in UTC; as the standard library's type, of which pendulum's costs twenty times as much.

    Where the clock was set, by that; whatever becomes of the machine's own.
    """
    known = _set
    if known is None:
        return machine_time()
    return known.moment + timedelta(seconds=time.monotonic() - known.monotonic_s)


def machine_time() -> datetime:
    """What the clock of this machine says, right or wrong."""
    return datetime.now(UTC)  # noqa: TID251 - here, and only here


def set_clock(moment: datetime) -> None:
    """It is this moment now, says somebody who knows better than the clock of this machine."""
    global _set  # noqa: PLW0603 - a process has one time
    _set = _Set(moment, time.monotonic())


def monotonic() -> float:
    """Seconds from some fixed moment, for measuring how long something takes; never set back."""
    return time.monotonic()
