"""One message of each type: for the most part as real clients sent them."""

from typing import Any

Example = dict[str, Any]

RUN = "ae16da4a-9ef3-4a2a-8f02-21fd797ad543"
TASK = "d8a5e65f-3b73-4442-8f08-d3c309bef4d8"
DEPLOYMENT = "f6ce9cf7-c937-4925-b74b-b036e1ba5dfb"

COMMAND_DATA: dict[str, Example] = {
    "flow.upsert": {"name": "nightly-export", "tags": ["nightly"], "labels": {"team": "data", "size": 3}},
    "deployment.upsert": {
        "id": "577126d4-408c-4113-a2fa-5fe24268c2e7",
        "name": "pool",
        "flow_name": "nightly-export",
        "concurrency_limit": 2,
        "concurrency_options": {"collision_strategy": "CANCEL_NEW"},
        "work_pool_name": "local-pool",
        "work_queue_name": "slow",
        "tags": ["pool"],
        "version": "f586ad1231cbb1ad2ae9247865d0d66a",
        "paused": False,
    },
    "deployment.delete": {"deployment_id": DEPLOYMENT},
    "work_pool.upsert": {"name": "local-pool", "concurrency_limit": 3, "is_paused": False},
    "work_queue.upsert": {
        "name": "urgent",
        "work_pool_name": "local-pool",
        "priority": 1,
        "concurrency_limit": 2,
        "is_paused": False,
    },
    "concurrency_limit.upsert": {"name": "partner-api", "limit": 10, "slot_decay_per_second": 5.0},
    "concurrency_limit.acquire": {"names": ["warehouse"], "slots": 1, "lease_seconds": 60.0},
    "concurrency_limit.release": {"names": ["warehouse"], "slots": 1},
    "concurrency_limit.delete": {"name": "tag:obsolete"},
    "notification_policy.upsert": {
        "id": "13f87ce6-6aa3-4efc-8e84-82f7b70cf935",
        "is_active": True,
        "state_names": ["Failed", "Crashed", "TimedOut"],
        "tags": [],
        "notify": "ops-alerts",
        "message_template": "{flow_run_name} of {flow_name} is {flow_run_state_name}",
    },
    "notification_policy.delete": {"id": "c42ba8bc-3255-4496-b015-0f1789f86ddf"},
    "flow_run.create": {
        "id": RUN,
        "flow_name": "nightly-export",
        "deployment_id": DEPLOYMENT,
        "auto_scheduled": True,
        "idempotency_key": f"scheduled {DEPLOYMENT} 2026-11-23 05:09:46.382284+00:00",
        "parameters": {"tables": 2},
        "tags": ["auto-scheduled", "nightly"],
        "deployment_version": "f586ad1231cbb1ad2ae9247865d0d66a",
        "state": {
            "type": "SCHEDULED",
            "name": "Scheduled",
            "message": "Flow run scheduled",
            "state_details": {"scheduled_time": "2026-11-23T05:09:46.382284Z"},
        },
    },
    "flow_run.update": {
        "flow_run_id": RUN,
        "flow_version": "f586ad1231cbb1ad2ae9247865d0d66a",
        "empirical_policy": {"retries": 0, "retry_delay": 0},
    },
    "flow_run.set_labels": {"flow_run_id": RUN, "labels": {"team": "data", "n": 1.5, "ok": True}},
    "flow_run.set_state": {
        "flow_run_id": RUN,
        "state": {
            "type": "CANCELLED",
            "name": "Cancelled",
            "message": "Flow run was cancelled successfully.",
            "state_details": {"transition_id": "81694ea5-ae27-4b50-bce5-74dd7f5210e6"},
        },
        "force": True,
        "client_version": "3.1.0",
    },
    "flow_run.delete": {"flow_run_id": RUN},
    "task_run.create": {
        "id": "6feb3086-b750-40ba-a7e6-9cbcf0940c3d",
        "flow_run_id": RUN,
        "task_key": "validate-474be83f",
        "dynamic_key": "ae16c9ca-4b59-41b1-9d5b-022f3467158d",
        "name": "validate-ae1",
        "tags": ["etl", "eu"],
        "empirical_policy": {"retries": 1, "retry_delay": 0},
        "task_inputs": {"value": [{"input_type": "task_run", "id": TASK}]},
        "state": {"type": "PENDING", "name": "Pending"},
    },
    "task_run.update": {"task_run_id": TASK, "name": "spark-stage-5-done"},
    "task_run.set_state": {
        "task_run_id": TASK,
        "state": {"type": "RUNNING", "name": "Retrying"},
        "force": True,
        "if_version": 4,
        "on_wait": "defer",
    },
    "task_run.delete": {"task_run_id": TASK},
    "artifact.create": {
        "key": "summary-eu",
        "type": "markdown",
        "data": "# eu\n\n12 rows loaded",
        "description": "rows per region",
        "flow_run_id": RUN,
        "task_run_id": TASK,
    },
    "batch": {"commands": [{"specversion": "1.0", "type": "flow.upsert"}]},
}

QUERY_DATA: dict[str, Example] = {
    "flow_run.read": {"id": RUN},
    "task_run.read": {"id": TASK},
    "flow.read": {"name": "nightly-export"},
    "deployment.read": {"id": DEPLOYMENT},
    "concurrency_limit.read": {"name": "tag:gpu"},
    "notification_policy.list": {"is_active": True, "limit": 50},
    "flow_run.list": {
        "flow_runs": {
            "operator": "or_",
            "state": {"type": {"any_": ["SCHEDULED"]}, "name": {"not_any_": ["Late"]}},
            "next_scheduled_start_time": {"before_": "2026-11-23T05:09:36.956548Z"},
            "tags": {"all_": ["a"], "is_null_": False},
            "parent_task_run_id": {"is_null_": True},
        },
        "deployments": {"name": {"any_": ["intake"], "like_": "in"}, "paused": {"eq_": False}},
        "work_queues": {"name": {"startswith_": ["a", "b"]}},
        "columns": ["id", "name", "state_type"],
        "sort": "EXPECTED_START_TIME_DESC",
        "limit": 5,
    },
    "task_run.list": {
        "task_runs": {"subflow_runs": {"exists_": True}, "flow_run_id": {"any_": [RUN], "is_null_": None}},
        "sort": "END_TIME_DESC",
        "limit": 15,
        "offset": 30,
    },
    "flow_run.count": {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}},
    "task_run.count": {"task_runs": {"state": {"type": {"any_": ["FAILED"]}}}, "flow_runs": {}},
    "flow_run.states": {"flow_run_id": RUN},
    "task_run.states": {"task_run_id": TASK},
    "flow_run.graph": {"flow_run_id": RUN, "since": "2026-11-23T05:09:36Z"},
    "flow_run.dependencies": {"flow_run_id": RUN},
    "command.read": {"id": "01a206d0-cdb4-7f2b-b6dd-f3d25a157cbc"},
}

DATA = {**COMMAND_DATA, **QUERY_DATA}


def envelope(message_type: str) -> Example:
    """The example of a type as it travels."""
    return {
        "specversion": "1.0",
        "id": "01a206cf-2341-750f-a762-a7946d4c0b8e",
        "source": "scheduler",
        "type": message_type,
        "time": "2026-11-23T05:09:28.001Z",
        "replyto": "scheduler-1",
        "partitionkey": RUN,
        "sequence": "3",
        "data": DATA[message_type],
    }
