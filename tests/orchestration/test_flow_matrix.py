"""Every pair of state types, for flow runs with default names, no results, no retries and no limits."""

import pytest

from messages.states import State, StateType
from tests.orchestration.builders import FORCE, RESULT, a_flow_run, a_state, set_flow
from workers.orchestration.facts import Orders

TO = (
    "SCHEDULED",
    "PENDING",
    "RUNNING",
    "PAUSED",
    "CANCELLING",
    "COMPLETED",
    "FAILED",
    "CRASHED",
    "CANCELLED",
)

# A accept, R reject and keep the state, B abort, C reject and write CANCELLED. Columns as in TO.
CORE = {
    "none": "A A A B A A A A A",
    "SCHEDULED": "A A A R C A A A A",
    "PENDING": "A B A R A A A A A",
    "RUNNING": "A B A A A A A A A",
    "PAUSED": "A R A R R A A A A",
    "suspended": "A R A R C A A A A",
    "CANCELLING": "R R R R R R R R A",
    "COMPLETED": "A A A B B A A B A",
    "COMPLETED with a result": "R R R B B A A B A",
    "FAILED": "A A A B B A A B A",
    "CRASHED": "A A A B B A A B A",
    "CANCELLED": "R R R B B R R B A",
}
SUSPENDED_WITHOUT_A_DEPLOYMENT = "R R R R C R R R R"
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def initial(name: str) -> State | None:
    if name == "none":
        return None
    if name == "suspended":
        return a_state(StateType.PAUSED, name="Suspended", pause_reschedule=True)
    if name == "COMPLETED with a result":
        return a_state(StateType.COMPLETED, data=RESULT)
    return a_state(StateType(name))


def cells(table: dict[str, str]) -> list[tuple[str, str, str]]:
    return [
        (start, to, verdict)
        for start, row in table.items()
        for to, verdict in zip(TO, row.split(), strict=True)
    ]


def without_deployment(start: str, to: str, verdict: str) -> str:
    """Nobody would start the run again, so it cannot be scheduled again, nor resumed once suspended."""
    if start == "suspended":
        return SUSPENDED_WITHOUT_A_DEPLOYMENT.split()[TO.index(to)]
    if to == "SCHEDULED" and start in ENDED:
        return "R" if start == "COMPLETED with a result" else "B"
    return verdict


def expected(to: str, verdict: str) -> str:
    accepted = f"ACCEPT {StateType(to).default_name}"
    return {"A": accepted, "R": "REJECT", "B": "ABORT", "C": "REJECT Cancelled"}[verdict]


@pytest.mark.parametrize(("start", "to", "verdict"), cells(CORE))
def test_a_run_of_a_deployment_goes_where_the_core_rules_let_it(start: str, to: str, verdict: str) -> None:
    outcome = set_flow(a_flow_run(initial(start), deployed=True), StateType(to))
    assert outcome.verdict == expected(to, verdict)


@pytest.mark.parametrize(("start", "to", "verdict"), cells(CORE))
def test_a_run_without_a_deployment_cannot_be_scheduled_again(start: str, to: str, verdict: str) -> None:
    outcome = set_flow(a_flow_run(initial(start)), StateType(to))
    assert outcome.verdict == expected(to, without_deployment(start, to, verdict))


@pytest.mark.parametrize(("start", "to", "_verdict"), cells(CORE))
def test_force_accepts_everything_but_cancels_at_once_what_nobody_runs(
    start: str, to: str, _verdict: str
) -> None:
    at_once = to == "CANCELLING" and start in ("SCHEDULED", "suspended")
    outcome = set_flow(a_flow_run(initial(start), deployed=True), StateType(to), FORCE)
    assert outcome.verdict == expected(to, "C" if at_once else "A")


@pytest.mark.parametrize(("start", "to", "_verdict"), cells(CORE))
def test_the_late_policy_looks_at_the_name_late_alone(start: str, to: str, _verdict: str) -> None:
    outcome = set_flow(a_flow_run(initial(start), deployed=True), StateType(to), Orders(policy="late"))
    assert outcome.verdict == expected(to, "A")


@pytest.mark.parametrize(("start", "to", "verdict"), cells(CORE))
def test_what_is_not_written_changes_nothing_but_the_memory_of_pauses(
    start: str, to: str, verdict: str
) -> None:
    outcome = set_flow(a_flow_run(initial(start), deployed=True), StateType(to))
    if verdict in "RB":
        assert set(outcome.decision.changes) <= {"empirical_policy"}
        assert outcome.run.state == outcome.before.state
        assert outcome.decision.reason
