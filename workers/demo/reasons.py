"""Why an answer may differ from the recorded one, and whether that applies to this one. Pure.

A reason is never given by kind of command alone: each has a check over the very run, limit or key in question.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from workers.demo.answers import Played, state_of
from workers.demo.compare import Member, differing
from workers.demo.story import Story
from workers.demo.tempo import EARLY


class Reason(Enum):
    """The reasons, with the words in which they are told."""

    ONE_CREATOR = (
        "decided: of several that create the same at once, one is told that it did; the recorded server told "
        "all of them, as it compared times"
    )
    SCHEDULED = "time: the scheduled time had come here and not in the recording, or the other way round"
    PAUSE = "time: the pause had expired; in the recording the server's own clock had ended the run by then"
    SLOT = "time: commands for the last free slot were under way at once, and another one came first"
    CACHE = "time: a result was put under the key, or expired, while this command was under way"
    EXCERPT = "excerpt: who held the slot or left the cached result is not among the commands of the excerpt"
    FOLLOWS = "follows from an earlier difference of the same run, or of the run that it belongs to"


@dataclass(frozen=True)
class Difference:
    """An answer that is not the recorded one; without a reason it is a failure."""

    played: Played
    members: tuple[Member, ...]
    reason: Reason | None


def differences(played: list[Played]) -> list[Difference]:
    """All differences in their order, with their reasons."""
    story = Story(played)
    found: list[Difference] = []
    explained: set[str] = set()
    for each in played:
        members = differing(each.recorded.observed, each.result) if each.result else ()
        if not members:
            continue
        reason = _reason(each, story, explained)
        if reason is not None and each.run_id:
            explained.add(each.run_id)
        found.append(Difference(each, members, reason))
    return found


def _reason(each: Played, story: Story, explained: set[str]) -> Reason | None:
    for reason, applies in _CHECKS:
        if applies(each, story):
            return reason
    return Reason.FOLLOWS if story.belongs_to(each) & explained else None


def _several_created_it(each: Played, story: Story) -> bool:
    observed, result = each.recorded.observed or {}, each.result
    if not (observed.get("created") is True and result is not None and result.data.get("created") is False):
        return False
    same = (other for other in story.told_under_way_with(each) if other.recorded.type == each.recorded.type)
    return any(
        other.recorded.data.get("name") == each.recorded.data.get("name")
        and other.result is not None
        and other.result.data.get("created") is True
        for other in same
    )


def _scheduled_time_came(each: Played, _story: Story) -> bool:
    if each.scheduled is None or each.recorded.proposed.get("type") != "RUNNING":
        return False
    start = each.scheduled - EARLY
    waited, waits = _recorded_status(each) == "WAIT", _status(each) == "WAIT"
    return (waited and not waits and start <= each.answered_at) or (
        waits and not waited and start > each.sent_at
    )


def _pause_expired(each: Played, _story: Story) -> bool:
    state = (state_of(each.result) if each.result else None) or {}
    timeout = each.pause_timeout
    is_end = _status(each) == "REJECT" and state.get("type") == "FAILED"
    return is_end and timeout is not None and timeout <= each.answered_at


def _slot_was_contended(each: Played, story: Story) -> bool:
    return _is_about_a_slot(each) and story.is_contended(each)


def _cache_was_contended(each: Played, story: Story) -> bool:
    return _is_about_a_cached_result(each) and story.cache_changed_meanwhile(each)


def _not_in_the_excerpt(each: Played, story: Story) -> bool:
    if _is_about_a_cached_result(each):
        return not story.has_cached_result(each)
    return _is_about_a_slot(each) and _recorded_status(each) != "ACCEPT" and story.had_room(each)


def _is_about_a_slot(each: Played) -> bool:
    recorded = str((each.recorded.observed or {}).get("reason"))
    answered = str(each.result.reason if each.result else None)
    return "oncurrency limit" in recorded or "no slot of" in answered


def _is_about_a_cached_result(each: Played) -> bool:
    recorded = (each.recorded.observed or {}).get("state_name")
    answered = (state_of(each.result) if each.result else None) or {}
    return "Cached" in (recorded, answered.get("name"))


def _status(each: Played) -> str | None:
    return None if each.result is None else str(each.result.status)


def _recorded_status(each: Played) -> str | None:
    return (each.recorded.observed or {}).get("status")


_CHECKS: tuple[tuple[Reason, Callable[[Played, Story], bool]], ...] = (
    (Reason.ONE_CREATOR, _several_created_it),
    (Reason.SCHEDULED, _scheduled_time_came),
    (Reason.PAUSE, _pause_expired),
    (Reason.EXCERPT, _not_in_the_excerpt),
    (Reason.SLOT, _slot_was_contended),
    (Reason.CACHE, _cache_was_contended),
)
