"""A line in the log for what the guard refused: whoever sent it may not hear of it."""

import logging
from collections import Counter
from collections.abc import Iterable

from messages.errors import ErrorCode
from messages.results import Outcome
from workers.pipeline.command import Command, Unreadable

log = logging.getLogger(__name__)


def tell_of_refused(came: Iterable[Command | Unreadable]) -> None:
    """One line for each code and fetch, with the first of the reasons: a flood of messages is none of lines."""
    numbers: Counter[str] = Counter()
    reasons: dict[str, str] = {}
    for each in came:
        outcome = _of_the_guard(each)
        if outcome is not None and outcome.error is not None:
            numbers[outcome.error.code] += 1
            reasons.setdefault(outcome.error.code, outcome.error.message)
    for code, number in numbers.items():
        log.warning(
            "messages were turned away", extra={"code": code, "number": number, "first": reasons[code]}
        )


def _of_the_guard(each: Command | Unreadable) -> Outcome | None:
    if isinstance(each, Unreadable):
        return None if each.is_kept else each.outcome
    if each.refusal is None or each.refusal.error is None:
        return None
    error = each.refusal.error
    of_place = [item["loc"] for item in error.errors] in ([["replyto"]], [["data", "notify"]])
    return each.refusal if error.code == ErrorCode.UNAUTHORIZED or of_place else None
