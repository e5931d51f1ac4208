"""Times and lengths of time as people read them. Pure."""

from datetime import UTC, datetime


def span(seconds: float) -> str:
    """A length of time in its two largest units: `850 ms`, `12 s`, `3 m 05 s`, `2 h 10 m`, `4 d 3 h`."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    whole = int(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} m"
    return f"{minutes} m {whole % 60:02} s" if minutes else f"{whole} s"


def distance(moment: datetime, now: datetime) -> str:
    """`3 m 05 s ago`, or `in 2 h 10 m`."""
    seconds = (now - moment).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def clock_time(moment: datetime) -> str:
    """`2026-11-23 10:30:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
