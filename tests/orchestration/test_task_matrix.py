"""Every pair of state types, for task runs with default names, no retries and no limits."""

import pytest

from messages.states import State, StateType
from tests.orchestration.builders import FORCE, RESULT, a_state, a_task_run, in_running_flow, set_task
from tests.orchestration.test_flow_matrix import cells
from workers.orchestration.facts import Orders

# A accept, R reject and keep the state, B abort; E and T accept as Rerunning and Retrying. Columns as in TO.
ANYTHING = "A A A A A A A A A"
ENDED = "A A T B B A A B A"
CORE = {
    "none": ANYTHING,
    "SCHEDULED": ANYTHING,
    "PENDING": ANYTHING,
    "RUNNING": "A A E A A A A A A",
    "PAUSED": ANYTHING,
    "CANCELLING": ANYTHING,
    "COMPLETED": ENDED,
    "COMPLETED with a result": "R R R B B R R B R",
    "FAILED": ENDED,
    "CRASHED": ENDED,
    "CANCELLED": ENDED,
}
TAKEN_UP = ("PENDING", "RUNNING", "CANCELLING", "CANCELLED")


def initial(name: str) -> State | None:
    if name == "none":
        return None
    if name == "COMPLETED with a result":
        return a_state(StateType.COMPLETED, data=RESULT)
    return a_state(StateType(name))


def run_count(start: str) -> int:
    """A task run created in RUNNING has been counted once."""
    return 1 if start == "RUNNING" else 0


def expected(to: str, verdict: str) -> str:
    name = {"E": "Rerunning", "T": "Retrying"}.get(verdict, StateType(to).default_name)
    return {"R": "REJECT", "B": "ABORT"}.get(verdict, f"ACCEPT {name}")


@pytest.mark.parametrize(("start", "to", "verdict"), cells(CORE))
def test_a_task_of_a_running_flow_goes_where_the_core_rules_let_it(start: str, to: str, verdict: str) -> None:
    run = a_task_run(initial(start), run_count=run_count(start))
    outcome = set_task(run, StateType(to), facts=in_running_flow())
    assert outcome.verdict == expected(to, verdict)


@pytest.mark.parametrize(("start", "to", "verdict"), cells(CORE))
def test_a_task_without_a_flow_run_has_no_attempt_to_retry(start: str, to: str, verdict: str) -> None:
    run = a_task_run(initial(start), run_count=run_count(start))
    outcome = set_task(run, StateType(to))
    assert outcome.verdict == expected(to, "A" if verdict == "T" else verdict)


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize(("start", "to", "verdict"), cells(CORE))
def test_a_background_task_is_taken_up_once_even_with_force(
    start: str, to: str, verdict: str, forced: bool
) -> None:
    run = a_task_run(initial(start), run_count=run_count(start))
    outcome = set_task(run, a_state(StateType(to), deferred=True), Orders(force=forced), in_running_flow())
    again = to == "PENDING" and start in TAKEN_UP
    assert outcome.verdict == expected(to, "B" if again else verdict)


@pytest.mark.parametrize(("start", "to", "_verdict"), cells(CORE))
def test_force_accepts_everything(start: str, to: str, _verdict: str) -> None:
    run = a_task_run(initial(start), run_count=run_count(start))
    assert set_task(run, StateType(to), FORCE).verdict == expected(to, "A")
