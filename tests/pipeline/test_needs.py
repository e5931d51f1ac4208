"""What a batch may touch is known from its data alone."""

from uuid import UUID

from messages.registry import COMMANDS
from tests.pipeline.test_admit import the_only
from tests.pipeline.workshop import body_of, command
from workers.pipeline.needs import _COLLECTORS, Needs, needs_of

RUN, TASK, OTHER = (UUID(int=number) for number in (1, 2, 3))


def needs(kind: str, data: dict[str, object]) -> Needs:
    each = the_only(body_of(command(kind, data)))
    assert each.refusal is None, each.refusal
    return needs_of([each])


def test_every_command_but_artifacts_says_what_it_needs() -> None:
    assert {model for kind, model in COMMANDS.items() if kind != "artifact.create"} == _COLLECTORS.keys()


def test_a_transition_needs_its_run_locked_and_what_surrounds_it() -> None:
    state = {"type": "RUNNING", "timestamp": "2026-11-23T12:00:00Z", "state_details": {"cache_key": "c"}}
    moved = needs("task_run.set_state", {"task_run_id": str(TASK), "state": state})
    assert moved.task_run_ids == {TASK}
    assert moved.runs_move
    assert moved.cache_keys == {"c"}
    assert {run for run, _ in moved.timestamps} == {TASK}
    assert not moved.flow_runs_move


def test_a_creation_needs_whatever_could_make_it_a_repeat() -> None:
    data = {"flow_name": "f", "id": str(RUN), "idempotency_key": "k", "parent_task_run_id": str(TASK)}
    made = needs("flow_run.create", {**data, "deployment_id": str(OTHER)})
    assert (made.flow_names, made.flow_run_ids, made.task_run_ids) == ({"f"}, {RUN}, {TASK})
    assert made.idempotency_keys == {(None, "f", "k")}
    assert made.deployment_ids == {OTHER}
    assert not made.runs_move
    task = needs(
        "task_run.create", {"flow_run_id": str(RUN), "task_key": "t", "dynamic_key": "0", "tags": ["x"]}
    )
    assert task.task_keys == {(RUN, "t", "0")}
    assert task.parents_of_tasks == {RUN}
    assert task.tags == {"x"}
    assert task.flow_run_ids == set(), "read, not locked"


def test_the_needs_of_a_batch_are_those_of_all_its_commands() -> None:
    commands = [
        the_only(body_of(command("flow_run.delete", {"flow_run_id": str(RUN)}))),
        the_only(body_of(command("flow.upsert", {"name": "f"}))),
        the_only(body_of(command("concurrency_limit.release", {"lease_id": str(OTHER)}))),
        the_only(body_of(command("flow.upsert", {"nmae": "refused"}))),
    ]
    together = needs_of(commands)
    assert together.flow_run_ids == {RUN}
    assert together.flow_names == {"f"}
    assert together.lease_ids == {OTHER}
    assert together.deletes_runs
    assert together.catalog_changes
