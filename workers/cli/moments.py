"""Times as people write them on the command line."""

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
