"""Which handler carries out which type of command. A handler changes the world in memory and answers; no I/O."""

from collections.abc import Callable
from typing import Any

from messages.results import Outcome
from workers.handlers import catalog, flow_runs, limits, notifications, task_runs, work_queues
from workers.world.world import World

Handler = Callable[[World, Any], Outcome]

HANDLERS: dict[str, Handler] = {
    "flow.upsert": catalog.upsert_flow,
    "deployment.upsert": catalog.upsert_deployment,
    "deployment.delete": catalog.delete_deployment,
    "work_pool.upsert": work_queues.upsert_pool,
    "work_queue.upsert": work_queues.upsert_queue,
    "concurrency_limit.upsert": limits.upsert,
    "concurrency_limit.acquire": limits.acquire,
    "concurrency_limit.release": limits.release,
    "concurrency_limit.delete": limits.delete,
    "notification_policy.upsert": notifications.upsert,
    "notification_policy.delete": notifications.delete,
    "flow_run.create": flow_runs.create,
    "flow_run.update": flow_runs.update,
    "flow_run.set_labels": flow_runs.set_labels,
    "flow_run.set_state": flow_runs.propose_state,
    "flow_run.delete": flow_runs.delete,
    "task_run.create": task_runs.create,
    "task_run.update": task_runs.update,
    "task_run.set_state": task_runs.propose_state,
    "task_run.delete": task_runs.delete,
    "artifact.create": catalog.create_artifact,
}
