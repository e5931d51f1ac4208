"""Pausing, suspending, resuming."""

import pytest

from messages.states import StateType
from tests.orchestration.builders import (
    CANCELLED,
    CANCELLING,
    COMPLETED,
    EARLIER,
    FAILED,
    NOW,
    PAUSED,
    PENDING,
    RUNNING,
    SCHEDULED,
    Outcome,
    a_flow_run,
    a_state,
    after,
    an_id,
    set_flow,
)


def pause(key: str | None = None, **details: object) -> Outcome:
    run = a_flow_run(RUNNING, deployed=True, run_count=1, pause_keys={"old"})
    return set_flow(run, a_state(PAUSED, NOW, pause_key=key, **details))


def test_each_key_pauses_a_run_once() -> None:
    assert pause("old").verdict == "REJECT"
    assert pause("old").changed_nothing()
    paused = pause("new")
    assert paused.verdict == "ACCEPT Paused"
    assert paused.run.empirical_policy.pause_keys == {"old", "new"}


@pytest.mark.parametrize("key", [None, ""])
def test_a_pause_without_a_key_is_remembered_under_a_new_one(key: str | None) -> None:
    assert len(pause(key).run.empirical_policy.pause_keys) == 2


def test_keys_survive_resuming() -> None:
    resumed = set_flow(pause("new").run, RUNNING, at=after(5)).run
    assert resumed.empirical_policy.pause_keys == {"old", "new"}
    assert set_flow(resumed, a_state(PAUSED, after(6), pause_key="new")).verdict == "REJECT"


@pytest.mark.parametrize("start", [SCHEDULED, PENDING, PAUSED])
def test_only_a_running_flow_can_be_paused(start: StateType) -> None:
    outcome = set_flow(a_flow_run(start), PAUSED)
    assert outcome.verdict == "REJECT"
    assert outcome.changed_nothing()


@pytest.mark.parametrize("reschedule", [False, True])
def test_a_run_without_a_state_cannot_be_paused(reschedule: bool) -> None:
    outcome = set_flow(a_flow_run(), a_state(PAUSED, NOW, pause_reschedule=reschedule))
    assert outcome.verdict == "ABORT"
    assert ("suspended" if reschedule else "paused") in str(outcome.decision.reason)


@pytest.mark.parametrize(
    "forbidding", [{"deployed": False}, {"deployed": True, "parent_task_run_id": an_id()}]
)
def test_what_nobody_would_start_again_cannot_be_suspended(forbidding: dict[str, bool]) -> None:
    run = a_flow_run(RUNNING, **forbidding)
    assert set_flow(run, a_state(PAUSED, NOW, pause_reschedule=True)).verdict == "ABORT"
    assert set_flow(run, PAUSED).verdict == "ACCEPT Paused"


def test_a_run_of_a_deployment_can_be_suspended() -> None:
    assert pause(pause_reschedule=True, name="Suspended").verdict == "ACCEPT Suspended"


@pytest.mark.parametrize(("to", "resuming"), [(PENDING, True), (CANCELLING, True), (PAUSED, False)])
def test_a_refused_way_out_of_a_pause_counts_as_resuming_unless_it_is_a_pause(
    to: StateType, resuming: bool
) -> None:
    outcome = set_flow(a_flow_run(PAUSED), to)
    assert outcome.verdict == "REJECT"
    assert outcome.run.empirical_policy.resuming is resuming
    assert outcome.run.state == outcome.before.state


def test_an_expired_pause_is_a_failure() -> None:
    run = a_flow_run(a_state(PAUSED, pause_timeout=EARLIER), start_time=EARLIER)
    outcome = set_flow(run, RUNNING)
    assert outcome.verdict == "REJECT Failed"
    assert outcome.run.state.message
    assert outcome.run.end_time == NOW
    assert outcome.run.empirical_policy.resuming is True


def test_a_pause_expires_after_its_timeout_not_at_it() -> None:
    assert set_flow(a_flow_run(a_state(PAUSED, pause_timeout=NOW)), RUNNING).verdict == "ACCEPT Running"


def test_to_resume_is_an_attempt_only_once() -> None:
    resumed = set_flow(pause().run, RUNNING, at=after(5)).run
    assert (resumed.run_count, resumed.empirical_policy.resuming) == (2, True)
    running = set_flow(resumed, RUNNING, at=after(6)).run
    assert (running.run_count, running.empirical_policy.resuming) == (2, False)


def test_to_resume_a_suspended_run_is_no_new_attempt() -> None:
    suspended = pause(pause_reschedule=True, pause_timeout=after(60)).run
    resuming = set_flow(suspended, a_state(SCHEDULED, after(5), name="Resuming"), at=after(5)).run
    assert resuming.empirical_policy.resuming is True
    pending = set_flow(resuming, PENDING, at=after(6)).run
    running = set_flow(pending, RUNNING, at=after(7)).run
    assert (running.run_count, running.empirical_policy.resuming) == (1, False)


def test_a_suspended_run_whose_deployment_was_taken_away_stays_suspended() -> None:
    run = a_flow_run(a_state(PAUSED, pause_reschedule=True))
    assert set_flow(run, SCHEDULED).verdict == "REJECT"


@pytest.mark.parametrize("to", [COMPLETED, FAILED, CANCELLED])
def test_a_paused_run_may_end(to: StateType) -> None:
    run = a_flow_run(PAUSED, resuming=True)
    outcome = set_flow(run, to)
    assert outcome.run.state_type is to
    assert outcome.run.empirical_policy.resuming is True
