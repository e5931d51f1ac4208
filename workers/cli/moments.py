"""Times as people write and read them on the command line."""

from datetime import UTC, datetime, timedelta

from workers.cli.failures import WRONG_USAGE, Complaint

_EXAMPLES = "such as 2026-11-23, 2026-11-23T10:30, 2h (ago) or +2h (from now)"
#: For the help of options that take a time.
METAVAR = "TIME"


def moment(text: str | None, option: str, now: datetime) -> datetime | None:
    """The time that was given: ISO 8601, UTC unless it says otherwise; `2h` ago; `+2h` from now; `now`.

    Raises:
        Complaint: it is none of these.
    """
    if text is None:
        return None
    given = text.strip()
    if given == "now":
        return now
    span = _duration(given.removeprefix("+").removesuffix("ago").strip())
    if span is not None:
        return now + span if given.startswith("+") else now - span
    found = _iso(given)
    if found is None:
        raise Complaint(f"{option}: {text!r} is no time; it should be {_EXAMPLES}", WRONG_USAGE)
    return found


def _duration(text: str) -> timedelta | None:
    from pydantic import TypeAdapter, ValidationError

    from workers.settings import Duration

    if text[-1:].isdigit():  # a year, more likely than seconds
        return None
    try:
        return TypeAdapter[timedelta](Duration).validate_python(text)
    except (ValidationError, OverflowError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


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
