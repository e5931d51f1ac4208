"""The only clock. Time enters everything else as an argument."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """This moment, in UTC; as the standard library's type, of which pendulum's costs twenty times as much."""
    return datetime.now(UTC)  # noqa: TID251 - here, and only here


def monotonic() -> float:
    """Seconds from some fixed moment, for measuring how long something takes; never set back."""
    return time.monotonic()
