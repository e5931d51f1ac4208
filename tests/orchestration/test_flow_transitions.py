"""Flow runs: duplicates, scheduled times, retries, cancelling, lateness, results."""

import pytest

from messages.results import Status
from messages.states import StateType
from tests.orchestration.builders import (
    CANCELLED,
    CANCELLING,
    COMPLETED,
    EARLIER,
    FAILED,
    FORCE,
    NOW,
    PAUSED,
    PENDING,
    RESULT,
    RUNNING,
    SCHEDULED,
    a_flow_run,
    a_state,
    after,
    an_id,
    facts_of,
    set_flow,
)
from workers.orchestration.decide import mark_late
from workers.orchestration.decision import Decision, RetryTaskRuns
from workers.orchestration.facts import Orders


def test_the_same_transition_is_made_once() -> None:
    number = an_id()
    run = a_flow_run(a_state(PENDING, transition_id=number))
    again = set_flow(run, a_state(PENDING, NOW, transition_id=number))
    assert again.verdict == "REJECT"
    assert again.changed_nothing()


@pytest.mark.parametrize(("before", "proposed"), [(True, False), (False, True), (True, True)])
def test_another_transition_is_judged_by_the_rules(before: bool, proposed: bool) -> None:
    run = a_flow_run(a_state(PENDING, transition_id=an_id() if before else None))
    state = a_state(PENDING, NOW, transition_id=an_id() if proposed else None)
    assert set_flow(run, state).verdict == "ABORT"


def test_the_first_state_of_a_run_repeats_nothing() -> None:
    assert set_flow(a_flow_run(), a_state(PENDING, NOW, transition_id=an_id())).verdict == "ACCEPT Pending"


@pytest.mark.parametrize(("ahead", "delay"), [(300, 300), (0.4, None), (0.7, 1), (1.4, 1), (1.7, 2)])
def test_a_run_waits_for_its_time(ahead: float, delay: int | None) -> None:
    outcome = set_flow(a_flow_run(a_state(SCHEDULED, scheduled_time=after(ahead))), RUNNING)
    assert outcome.status is (Status.WAIT if delay else Status.ACCEPT)
    assert outcome.decision.delay_seconds == delay


def test_a_run_waits_for_its_time_although_it_was_taken_up() -> None:
    pending = set_flow(a_flow_run(a_state(SCHEDULED, scheduled_time=after(300))), PENDING).run
    assert pending.state.state_details.scheduled_time == after(300)
    assert set_flow(pending, RUNNING).decision.delay_seconds == 300


def test_a_pending_state_may_bring_its_own_time() -> None:
    run = a_flow_run(a_state(SCHEDULED, scheduled_time=after(300)))
    pending = set_flow(run, a_state(PENDING, NOW, scheduled_time=EARLIER)).run
    assert set_flow(pending, RUNNING, at=after(1)).verdict == "ACCEPT Running"


def test_a_run_that_was_never_scheduled_starts_at_once() -> None:
    assert set_flow(a_flow_run(PENDING), RUNNING).verdict == "ACCEPT Running"


def test_a_failed_run_is_tried_again_as_often_as_allowed() -> None:
    run = a_flow_run(RUNNING, retries=1, retry_delay=7, run_count=1, pause_keys={"k"}, resuming=True)
    first = set_flow(run, a_state(FAILED, NOW, message="m", data=RESULT))
    assert first.verdict == "REJECT AwaitingRetry"
    state = first.run.state
    assert (state.message, state.data) == ("m", RESULT)
    assert state.state_details.scheduled_time == first.run.next_scheduled_start_time == after(7)
    assert first.run.run_count == 1
    assert first.run.empirical_policy == run.empirical_policy.model_copy(
        update={"pause_keys": frozenset(), "resuming": False}
    )
    second = set_flow(set_flow(first.run, RUNNING, at=after(8)).run, FAILED, at=after(9))
    assert second.run.run_count == 2
    assert second.verdict == "ACCEPT Failed"


@pytest.mark.parametrize("retries", [0, None])
def test_without_retries_a_failure_is_final(retries: int | None) -> None:
    assert set_flow(a_flow_run(RUNNING, retries=retries, run_count=1), FAILED).verdict == "ACCEPT Failed"


def test_older_clients_get_their_failed_task_runs_tried_again() -> None:
    run = a_flow_run(RUNNING, retries=1, run_count=1)
    tasks = (an_id(), an_id())
    outcome = set_flow(run, FAILED, Orders(api_version="0.8.2"), facts_of(run, failed_task_runs=tasks))
    (effect,) = outcome.effects
    assert isinstance(effect, RetryTaskRuns)
    assert (effect.task_run_ids, effect.scheduled_time) == (tasks, NOW)
    assert [state.name for state in effect.states] == ["AwaitingRetry", "AwaitingRetry"]
    assert len({state.id for state in effect.states}) == 2


@pytest.mark.parametrize(("version", "failed"), [("0.8.2", ()), ("0.8.3", (an_id(),)), (None, (an_id(),))])
def test_nothing_else_tries_task_runs_again(version: str | None, failed: tuple[()]) -> None:
    run = a_flow_run(RUNNING, retries=1, run_count=1)
    outcome = set_flow(run, FAILED, Orders(api_version=version), facts_of(run, failed_task_runs=failed))
    assert outcome.effects == ()


def test_older_clients_remember_their_pauses_over_a_retry() -> None:
    run = a_flow_run(RUNNING, retries=1, run_count=1, pause_keys={"k"})
    after_it = set_flow(run, FAILED, Orders(parameters={"api-version": "0.8.3"})).run
    assert after_it.empirical_policy.pause_keys == {"k"}
    ended = a_flow_run(FAILED, pause_keys={"k"})
    assert set_flow(ended, PENDING, Orders(api_version="0.8.3")).run.empirical_policy.pause_keys == {"k"}


@pytest.mark.parametrize("name", ["Scheduled", "AwaitingRetry", "Anything"])
def test_a_failed_run_of_a_deployment_may_be_scheduled_again(name: str) -> None:
    run = a_flow_run(FAILED, deployed=True, retries=0, run_count=5)
    outcome = set_flow(run, a_state(SCHEDULED, NOW, name=name))
    assert outcome.verdict == f"ACCEPT {name}"
    assert outcome.run.run_count == 5


def test_a_failed_run_without_a_deployment_may_not_be_scheduled_again() -> None:
    assert set_flow(a_flow_run(FAILED), SCHEDULED).verdict == "ABORT"


def test_a_new_start_forgets_old_pauses() -> None:
    run = a_flow_run(FAILED, pause_keys={"k"}, resuming=True)
    policy = set_flow(run, RUNNING).run.empirical_policy
    assert (policy.pause_keys, policy.resuming) == (frozenset(), False)


def test_a_cancelling_run_cannot_start_again() -> None:
    for to in set(StateType) - {CANCELLED}:
        assert set_flow(a_flow_run(CANCELLING, deployed=True), to).changed_nothing()
    assert set_flow(a_flow_run(CANCELLING), CANCELLED).verdict == "ACCEPT Cancelled"


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("name", ["Scheduled", "Late", "Resuming"])
def test_a_scheduled_run_that_nobody_runs_is_cancelled_at_once(name: str, forced: bool) -> None:
    run = a_flow_run(a_state(SCHEDULED, name=name))
    assert set_flow(run, CANCELLING, Orders(force=forced)).verdict == "REJECT Cancelled"


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize(
    ("name", "verdict"), [("Scheduled", "ACCEPT Cancelling"), ("Resuming", "REJECT Cancelled")]
)
def test_a_scheduled_run_with_a_process_has_to_be_stopped(name: str, verdict: str, forced: bool) -> None:
    run = a_flow_run(a_state(SCHEDULED, name=name), infrastructure_pid="pid-7")
    assert set_flow(run, CANCELLING, Orders(force=forced)).verdict == verdict


@pytest.mark.parametrize(("reschedule", "verdict"), [(True, "REJECT Cancelled"), (False, "REJECT")])
def test_only_a_suspended_run_is_cancelled_at_once(reschedule: bool, verdict: str) -> None:
    run = a_flow_run(a_state(PAUSED, pause_reschedule=reschedule), deployed=True)
    assert set_flow(run, CANCELLING).verdict == verdict


@pytest.mark.parametrize("policy", ["core", "late"])
@pytest.mark.parametrize("start", sorted(set(StateType) - {SCHEDULED}))
def test_only_a_scheduled_run_can_be_late(start: StateType, policy: str) -> None:
    run = a_flow_run(start, deployed=True)
    outcome = set_flow(run, a_state(SCHEDULED, NOW, name="Late"), Orders(policy=policy))
    assert outcome.verdict == "REJECT"


def test_a_run_without_a_state_is_not_late() -> None:
    assert set_flow(a_flow_run(), a_state(SCHEDULED, NOW, name="Late")).verdict == "ABORT"


def test_a_late_run_keeps_its_times() -> None:
    scheduled = set_flow(a_flow_run(), a_state(SCHEDULED, EARLIER, scheduled_time=EARLIER)).run
    decision = mark_late(scheduled, facts_of(scheduled), now=NOW, new_id=an_id)
    assert isinstance(decision, Decision)
    assert decision.state is not None
    assert decision.state.name == "Late"
    assert decision.state.state_details.scheduled_time == EARLIER
    assert not {"expected_start_time", "next_scheduled_start_time"} & set(decision.changes)


def test_a_run_that_has_been_started_meanwhile_is_not_marked_late() -> None:
    run = a_flow_run(PENDING)
    decision = mark_late(run, facts_of(run), now=NOW, new_id=an_id)
    assert isinstance(decision, Decision)
    assert (decision.status, decision.state) == (Status.REJECT, None)


@pytest.mark.parametrize("data", [RESULT, "text", [1]])
def test_a_kept_result_is_not_computed_again(data: object) -> None:
    run = a_flow_run(a_state(COMPLETED, data=data))
    assert set_flow(run, RUNNING).verdict == "REJECT"


@pytest.mark.parametrize("data", [{"type": "unpersisted"}, None, {}, 0])
def test_a_result_that_is_not_kept_may_be_computed_again(data: object) -> None:
    assert set_flow(a_flow_run(a_state(COMPLETED, data=data)), RUNNING).verdict == "ACCEPT Running"


@pytest.mark.parametrize("to", [COMPLETED, FAILED, CANCELLED])
def test_a_completed_run_may_end_otherwise_and_lose_its_result(to: StateType) -> None:
    assert set_flow(a_flow_run(a_state(COMPLETED, data=RESULT)), to).status is Status.ACCEPT


def test_forced_states_are_not_judged() -> None:
    assert set_flow(a_flow_run(a_state(COMPLETED, data=RESULT)), RUNNING, FORCE).verdict == "ACCEPT Running"
