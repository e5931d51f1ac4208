"""What `flow_run.set_state` and `task_run.set_state` answer."""

from messages.commands.orchestration import SetState
from messages.errors import ErrorCode
from messages.results import Details, Outcome, Status, summary
from messages.runs import FlowRun, TaskRun
from messages.states import State
from workers.handlers.outcomes import CommandFailed
from workers.orchestration.decision import Decision


def check_version(run: FlowRun | TaskRun, command: SetState) -> None:
    """Compares `if_version` with the run's version."""
    if command.if_version is not None and command.if_version != run.version:
        raise CommandFailed(
            ErrorCode.VERSION_MISMATCH, f"the run has version {run.version}, not {command.if_version}"
        )


def answer(run: FlowRun | TaskRun, decision: Decision) -> Outcome:
    """The verdict with the state that the run has now; `run` is as it was committed."""
    state: State | None = decision.state or run.state
    return Outcome(
        Status(decision.status),
        {
            "state": state,
            "details": Details(reason=decision.reason, delay_seconds=decision.delay_seconds),
            "run": summary(run),
        },
        subject=run.id,
    )
