"""Single objects, by id or unique name, and notification policies."""

from pydantic_core import from_json

from messages.answers import (
    CommandFound,
    ConcurrencyLimitFound,
    DeploymentFound,
    FlowFound,
    FlowRunFound,
    NotificationPolicies,
    TaskRunFound,
)
from messages.fields import Id
from messages.queries import ListNotificationPolicies, ReadById, ReadByIdOrName, ReadCommand, ReadDeployment
from store.catalog import DEPLOYMENTS, FLOWS, deployments_named, flows_named
from store.inbox import seen
from store.reads.catalog import limit_named, limit_with_id, policies
from store.reads.commands import is_waiting
from store.runs import FLOW_RUNS, TASK_RUNS
from workers.queries.asked import Asked


def read_flow_run(asked: Asked[ReadById]) -> FlowRunFound:
    """A flow run with its state."""
    run = FLOW_RUNS.read(asked.connection, [asked.data.id]).get(asked.data.id)
    return FlowRunFound(found=run is not None, flow_run=run)


def read_task_run(asked: Asked[ReadById]) -> TaskRunFound:
    """A task run with its state."""
    run = TASK_RUNS.read(asked.connection, [asked.data.id]).get(asked.data.id)
    return TaskRunFound(found=run is not None, task_run=run)


def read_flow(asked: Asked[ReadByIdOrName]) -> FlowFound:
    """A flow, by id or name."""
    ids = _flow_ids(asked, asked.data.id, asked.data.name)
    flow = next(iter(FLOWS.load(asked.connection, ids)), None)
    return FlowFound(found=flow is not None, flow=flow)


def read_deployment(asked: Asked[ReadDeployment]) -> DeploymentFound:
    """A deployment, by id, or by its flow and name."""
    data = asked.data
    ids = [] if data.id is None else [data.id]
    if data.name is not None:
        flow_ids = _flow_ids(asked, data.flow_id, data.flow_name)
        ids = deployments_named(asked.connection, [(flow_id, data.name) for flow_id in flow_ids])
    deployment = next(iter(DEPLOYMENTS.load(asked.connection, ids)), None)
    return DeploymentFound(found=deployment is not None, deployment=deployment)


def _flow_ids(asked: Asked[object], flow_id: Id | None, name: str | None) -> list[Id]:
    if flow_id is not None:
        return [flow_id]
    return [] if name is None else flows_named(asked.connection, [name])


def read_concurrency_limit(asked: Asked[ReadByIdOrName]) -> ConcurrencyLimitFound:
    """A limit, by id or name. What has decayed since it was last used is not taken off."""
    data, limit = asked.data, None
    if data.id is not None:
        limit = limit_with_id(asked.connection, data.id, asked.now)
    elif data.name is not None:
        limit = limit_named(asked.connection, data.name, asked.now)
    return ConcurrencyLimitFound(found=limit is not None, concurrency_limit=limit)


def list_notification_policies(asked: Asked[ListNotificationPolicies]) -> NotificationPolicies:
    """Policies in the order of their ids."""
    data = asked.data
    items = policies(
        asked.connection, policy_id=data.id, is_active=data.is_active, offset=data.offset, limit=data.limit
    )
    return NotificationPolicies(items=items)


def read_command(asked: Asked[ReadCommand]) -> CommandFound:
    """The result of a command. One that is parked or to be tried again is found, without a result."""
    command_id = asked.data.id
    command = seen(asked.connection, [command_id]).get(command_id)
    if command is None:
        return CommandFound(found=is_waiting(asked.connection, command_id), result=None)
    return CommandFound(found=True, result=from_json(command.result)["data"])
