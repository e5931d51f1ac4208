from datetime import timedelta
from typing import Any

from messages.client import Result
from tests.demo.builders import (
    OTHER,
    RECORDED,
    REPLAYED,
    RUN,
    played,
    recorded,
    result,
    seen,
    set_state,
    state,
)
from workers.demo.answers import Played
from workers.demo.reasons import Reason, differences

RUNNING = {"type": "RUNNING"}
STARTED = result("ACCEPT", state=state("RUNNING", "Running"))
FULL = "Concurrency limit for the gpu tag has been reached"


def reasons(*story: Played) -> list[Reason | None]:
    return [each.reason for each in differences(list(story))]


def task(run_id: str, **data: Any) -> Played:
    made = recorded("task_run.create", {"id": run_id, "tags": ["gpu"], **data}, seen("OK", created=True))
    return played(made, result("OK", created=True, task_run={"id": run_id}))


def limit(value: int) -> Played:
    return played(recorded("concurrency_limit.upsert", {"name": "tag:gpu", "limit": value}), result("OK"))


def starts(run_id: str, observed: dict[str, Any], answer: Result, **when: float) -> Played:
    return played(set_state("task_run", run_id, RUNNING, observed, **when), answer)


TURNED_AWAY = seen("WAIT", "PENDING", "Pending", reason=FULL, delay_seconds=1)


def test_an_answer_that_is_the_same_needs_no_reason() -> None:
    assert reasons(starts(RUN, seen("ACCEPT", "RUNNING", "Running"), STARTED)) == []


def test_a_difference_has_no_reason_by_itself() -> None:
    aborted = result("ABORT", state=state("PENDING", "Pending"), details={"reason": "no"})

    assert reasons(starts(RUN, seen("ACCEPT", "RUNNING", "Running"), aborted)) == [None]


def test_a_scheduled_time_is_a_reason_only_if_it_had_come() -> None:
    waited = seen("WAIT", "PENDING", "Pending", reason="Scheduled time is in the future", delay_seconds=2)
    started = set_state("flow_run", RUN, RUNNING, waited)

    assert reasons(played(started, STARTED, scheduled=REPLAYED)) == [Reason.SCHEDULED]
    assert reasons(played(started, STARTED, scheduled=REPLAYED + timedelta(seconds=9))) == [None]
    assert reasons(played(started, STARTED)) == [None]


def test_a_pause_is_a_reason_only_if_it_had_expired() -> None:
    failing = set_state("flow_run", RUN, {"type": "FAILED"}, seen("ACCEPT", "FAILED", "Failed"))
    rejected = result("REJECT", state=state("FAILED", "Failed"), details={"reason": "the pause has expired"})

    assert reasons(played(failing, rejected, pause_timeout=REPLAYED - timedelta(seconds=1))) == [Reason.PAUSE]
    assert reasons(played(failing, rejected, pause_timeout=REPLAYED + timedelta(seconds=1))) == [None]


def test_a_slot_is_a_reason_only_if_another_was_after_it_at_that_moment() -> None:
    made = (limit(1), task(RUN), task(OTHER))
    mine = starts(RUN, TURNED_AWAY, STARTED, asked_s=10, offset_s=12)
    accepted = seen("ACCEPT", "RUNNING", "Running")
    at_once = starts(OTHER, accepted, STARTED, asked_s=11, offset_s=11.5)
    before = starts(OTHER, accepted, STARTED, asked_s=1, offset_s=2)

    assert reasons(*made, at_once, mine) == [Reason.SLOT]
    assert reasons(*made, before, mine) == [None]


def test_what_is_not_in_the_excerpt_holds_no_slot() -> None:
    mine = starts(RUN, TURNED_AWAY, STARTED, asked_s=10, offset_s=12)

    assert reasons(limit(1), task(RUN), mine) == [Reason.EXCERPT]


def cached(run_id: str, observed: dict[str, Any], answer: Result, asked_s: float) -> Played:
    proposed = {"type": "RUNNING", "state_details": {"cache_key": "k"}}
    return played(set_state("task_run", run_id, proposed, observed, asked_s=asked_s), answer)


def writes(run_id: str, expires_s: float) -> Played:
    expiration = (RECORDED + timedelta(seconds=expires_s)).isoformat()
    details = {"cache_key": "k", "cache_expiration": expiration}
    completed = {"type": "COMPLETED", "state_details": details}
    observed = seen("ACCEPT", "COMPLETED", "Completed")
    return played(
        set_state("task_run", run_id, completed, observed, asked_s=1),
        result("ACCEPT", state=state("COMPLETED", "Completed")),
    )


def test_a_cached_result_is_missed_only_where_nobody_left_one() -> None:
    found = seen("REJECT", "COMPLETED", "Cached", reason="Retrieved state from cache")
    mine = cached(RUN, found, STARTED, asked_s=10)
    deleted = played(recorded("task_run.delete", {"task_run_id": OTHER}), result("OK", deleted=True))

    assert reasons(mine) == [Reason.EXCERPT]
    assert reasons(writes(OTHER, expires_s=5), mine) == [Reason.EXCERPT]
    assert reasons(writes(OTHER, expires_s=50), mine) == [None]
    assert reasons(writes(OTHER, expires_s=50), deleted, mine) == [Reason.EXCERPT]


def test_what_comes_after_a_difference_of_the_same_run_follows_from_it() -> None:
    first = starts(RUN, TURNED_AWAY, STARTED, asked_s=10)
    renamed = result("ACCEPT", state=state("RUNNING", "Rerunning"))
    again = starts(RUN, seen("ACCEPT", "RUNNING", "Running"), renamed, asked_s=20)
    elsewhere = starts(OTHER, seen("ACCEPT", "RUNNING", "Running"), renamed, asked_s=20)

    assert reasons(limit(1), task(RUN), first, again) == [Reason.EXCERPT, Reason.FOLLOWS]
    assert reasons(limit(1), task(RUN), first, elsewhere) == [Reason.EXCERPT, None]


def test_a_task_run_follows_its_flow_run() -> None:
    waited = seen("WAIT", "PENDING", "Pending", reason="Scheduled time is in the future", delay_seconds=2)
    flow = played(set_state("flow_run", RUN, RUNNING, waited), STARTED, scheduled=REPLAYED)
    aborted = result("ABORT", state=state("PENDING", "Pending"), details={"reason": "no"})
    mine = starts(OTHER, seen("ACCEPT", "RUNNING", "Running"), aborted)

    assert reasons(task(OTHER, flow_run_id=RUN), flow, mine) == [Reason.SCHEDULED, Reason.FOLLOWS]


def test_of_several_that_create_the_same_at_once_one_is_told_so() -> None:
    def upsert(asked_s: float, offset_s: float, *, created: bool) -> Played:
        data, observed = {"name": "etl"}, seen("OK", created=True)
        command = recorded("flow.upsert", data, observed, asked_s=asked_s, offset_s=offset_s)
        return played(command, result("OK", created=created))

    first = upsert(1, 2, created=True)
    assert reasons(limit(1), first, upsert(1.5, 2.5, created=False)) == [Reason.ONE_CREATOR]
    assert reasons(limit(1), first, upsert(3, 4, created=False)) == [None]
