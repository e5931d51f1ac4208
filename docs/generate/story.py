"""The conversation that docs/wire.md shows: every command and query once, in an order that makes sense."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

FLOW, DEPLOYMENT, RUN, TASK, LATER_TASK, POLICY = (
    "0198b2f0-0000-7000-8000-0000000000f1",
    "0198b2f0-0000-7000-8000-0000000000d1",
    "0198b2f0-0000-7000-8000-0000000000a1",
    "0198b2f0-0000-7000-8000-0000000000b1",
    "0198b2f0-0000-7000-8000-0000000000b2",
    "0198b2f0-0000-7000-8000-0000000000c1",
)
# Of no flow run: whoever runs background tasks is to pick it up.
BACKGROUND = "0198b2f0-0000-7000-8000-0000000000b3"
DEFERRED = {"type": "SCHEDULED", "state_details": {"deferred": True}}
# Stands in `data` for the lease that `concurrency_limit.acquire` gave.
LEASE = "the lease"
# Stands in `data` for the id of the first command.
FIRST_COMMAND = "the first command"


class Said(NamedTuple):
    """A command or query; `shown` is false for those that only move the story on."""

    type: str
    data: dict[str, Any]
    attributes: Mapping[str, str] = MappingProxyType({})
    shown: bool = True


COMMANDS = (
    Said("flow.upsert", {"name": "nightly-load", "tags": ["etl"]}),
    Said("work_pool.upsert", {"name": "machines", "concurrency_limit": 20}),
    Said("work_queue.upsert", {"name": "urgent", "work_pool_name": "machines", "priority": 1}),
    Said(
        "deployment.upsert",
        {
            "id": DEPLOYMENT,
            "name": "production",
            "flow_name": "nightly-load",
            "concurrency_limit": 1,
            "concurrency_options": {"collision_strategy": "ENQUEUE"},
            "work_pool_name": "machines",
            "work_queue_name": "urgent",
            "parameters": {"region": "eu"},
        },
    ),
    Said("concurrency_limit.upsert", {"name": "tag:database", "limit": 3}),
    Said(
        "notification_policy.upsert",
        {
            "id": POLICY,
            "state_names": ["Failed", "Completed"],
            "tags": ["etl"],
            "notify": "on-call",
            "message_template": "{flow_run_name} is {flow_run_state_name}",
        },
    ),
    Said(
        "flow_run.create",
        {
            "id": RUN,
            "flow_name": "nightly-load",
            "name": "load-2026-11-23",
            "deployment_id": DEPLOYMENT,
            "idempotency_key": "2026-11-23",
            "parameters": {"day": "2026-11-23"},
            "tags": ["etl"],
            "state": {"type": "SCHEDULED"},
        },
        {"partitionkey": RUN, "sequence": "1"},
    ),
    Said(
        "flow_run.set_state",
        {"flow_run_id": RUN, "state": {"type": "PENDING"}},
        {"partitionkey": RUN, "sequence": "2"},
    ),
    Said("flow_run.set_state", {"flow_run_id": RUN, "state": {"type": "RUNNING"}}, shown=False),
    Said(
        "flow_run.update",
        {"flow_run_id": RUN, "infrastructure_pid": "host-7:4711", "tags": ["etl", "night"]},
    ),
    Said("flow_run.set_labels", {"flow_run_id": RUN, "labels": {"team": "finance"}}),
    Said(
        "task_run.create",
        {
            "id": TASK,
            "flow_run_id": RUN,
            "task_key": "extract",
            "dynamic_key": "0",
            "name": "extract",
            "tags": ["database"],
            "empirical_policy": {"retries": 2, "retry_delay": 10},
        },
    ),
    Said("task_run.set_state", {"task_run_id": TASK, "state": {"type": "RUNNING"}}),
    Said("task_run.set_state", {"task_run_id": TASK, "state": {"type": "COMPLETED"}}, shown=False),
    Said(
        "task_run.create",
        {
            "id": LATER_TASK,
            "flow_run_id": RUN,
            "task_key": "load",
            "dynamic_key": "0",
            "task_inputs": {"rows": [{"input_type": "task_run", "id": TASK}]},
            "state": {"type": "RUNNING"},
        },
        shown=False,
    ),
    Said("task_run.update", {"task_run_id": LATER_TASK, "name": "load into the warehouse"}),
    Said(
        "concurrency_limit.acquire",
        {"names": ["tag:database"], "slots": 1, "lease_seconds": 60},
    ),
    Said("concurrency_limit.release", {"lease_id": LEASE}),
    Said(
        "artifact.create",
        {"key": "rows-loaded", "type": "markdown", "data": "**1,204** rows", "flow_run_id": RUN},
    ),
    Said("task_run.create", {"id": BACKGROUND, "task_key": "send-mail", "dynamic_key": "1"}, shown=False),
    Said("task_run.set_state", {"task_run_id": BACKGROUND, "state": DEFERRED}, shown=False),
)
BATCH = (
    Said("task_run.set_state", {"task_run_id": LATER_TASK, "state": {"type": "COMPLETED"}}),
    Said("flow_run.set_state", {"flow_run_id": RUN, "state": {"type": "COMPLETED", "message": "All rows."}}),
)
QUERIES = (
    Said("flow_run.read", {"id": RUN}),
    Said("task_run.read", {"id": TASK}),
    Said("flow.read", {"name": "nightly-load"}),
    Said("deployment.read", {"name": "production", "flow_name": "nightly-load"}),
    Said("concurrency_limit.read", {"name": "tag:database"}),
    Said("notification_policy.list", {"is_active": True}),
    Said(
        "flow_run.list",
        {
            "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}, "tags": {"all_": ["etl"]}},
            "columns": ["id", "name", "state_name", "total_run_time"],
            "sort": "START_TIME_DESC",
            "limit": 50,
        },
    ),
    Said(
        "task_run.list",
        {"flow_runs": {"id": {"any_": [RUN]}}, "columns": ["id", "name", "state_name"], "limit": 50},
    ),
    Said("flow_run.count", {"flows": {"name": {"any_": ["nightly-load"]}}}),
    Said("task_run.count", {"flow_runs": {"id": {"any_": [RUN]}}}),
    Said("flow_run.states", {"flow_run_id": RUN}),
    Said("task_run.states", {"task_run_id": TASK}),
    Said("flow_run.graph", {"flow_run_id": RUN}),
    Said("flow_run.dependencies", {"flow_run_id": RUN}),
    Said("command.read", {"id": FIRST_COMMAND}),
)
ENDINGS = (
    Said("task_run.delete", {"task_run_id": TASK}),
    Said("flow_run.delete", {"flow_run_id": RUN}),
    Said("deployment.delete", {"deployment_id": DEPLOYMENT}),
    Said("concurrency_limit.delete", {"name": "tag:database"}),
    Said("notification_policy.delete", {"id": POLICY}),
)

# What no story can bring about: a command that the workers cannot apply, however often they try.
DEAD_LETTERED: dict[str, Any] = {
    "specversion": "1.0",
    "id": "0198b2f0-0000-7000-8000-0000000000e9",
    "source": "interlock",
    "type": "command.dead_lettered",
    "time": "2026-11-23T05:00:09.000000Z",
    "subject": "0198b2f0-0000-7000-8000-0000000000e8",
    "datacontenttype": "application/json",
    "data": {
        "command": {
            "specversion": "1.0",
            "id": "0198b2f0-0000-7000-8000-0000000000e8",
            "source": "scheduler",
            "type": "flow_run.set_state",
            "data": {"flow_run_id": RUN, "state": {"type": "RUNNING"}},
        },
        "error": {
            "code": "internal",
            "message": "still failing after 20 attempts; the command is in the dead letters",
            "errors": [],
        },
        "attempts": 20,
    },
    "causationid": "0198b2f0-0000-7000-8000-0000000000e8",
}
