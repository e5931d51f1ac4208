"""Notification policies, and who is told of a flow run's new state."""

import re
from collections.abc import Iterator

from messages.catalog import Flow, NotificationPolicy
from messages.commands.notifications import DeleteNotificationPolicy, UpsertNotificationPolicy
from messages.events import Notification
from messages.evolve import evolve
from messages.results import Outcome
from messages.runs import FlowRun
from workers.handlers.outcomes import ok
from workers.world.world import Event, World

DEFAULT_TEMPLATE = (
    "Flow run {flow_run_name} of {flow_name} entered state {flow_run_state_name} at {flow_run_state_timestamp}. "
    "{flow_run_state_message}"
)
_PLACE = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}")
_LONGEST = 20_000


def upsert(world: World, data: UpsertNotificationPolicy) -> Outcome:
    """Makes a policy, or changes the given fields of the one with this id."""
    now = world.clock()
    given = data.given("is_active", "state_names", "tags", "notify", "message_template")
    existing = world.policies.get(data.id)
    if existing is not None:
        policy = world.policies.put(evolve(existing, **given, updated=now))
    else:
        policy = world.policies.put(
            NotificationPolicy(id=data.id or world.new_id(), created=now, updated=now, **given)
        )
    return ok(policy.id, notification_policy=policy, created=existing is None)


def delete(world: World, data: DeleteNotificationPolicy) -> Outcome:
    """Deletes a policy."""
    existed = world.policies.get(data.id) is not None
    world.policies.remove(data.id)
    return ok(data.id, deleted=existed)


def notify(world: World, run: FlowRun) -> Iterator[Event]:
    """A notification for each active policy that watches this state of this run."""
    flow = world.flows.get(run.flow_id)
    for policy in sorted(world.policies, key=lambda it: it.id):
        if flow is not None and _watches(policy, run):
            data = _notification(policy, run, flow)
            yield Event("notification", run.id, data, version=run.version, notify=policy.notify)


def _watches(policy: NotificationPolicy, run: FlowRun) -> bool:
    if not policy.is_active:
        return False
    if policy.state_names and run.state_name not in policy.state_names:
        return False
    return not policy.tags or not set(policy.tags).isdisjoint(run.tags)


def _notification(policy: NotificationPolicy, run: FlowRun, flow: Flow) -> Notification:
    assert run.state is not None
    values = {
        "flow_run_notification_policy_id": policy.id,
        "flow_id": flow.id,
        "flow_name": flow.name,
        "flow_run_url": f"interlock:flow-run/{run.id}",
        "flow_run_id": run.id,
        "flow_run_name": run.name,
        "flow_run_parameters": run.parameters,
        "flow_run_state_type": run.state.type,
        "flow_run_state_name": run.state.name,
        "flow_run_state_timestamp": run.state.timestamp.isoformat(),
        "flow_run_state_message": run.state.message or "",
    }
    return Notification(
        policy_id=policy.id,
        flow_id=flow.id,
        flow_name=flow.name,
        flow_run_id=run.id,
        flow_run_name=run.name,
        flow_run_parameters=run.parameters,
        flow_run_state_type=run.state.type,
        flow_run_state_name=run.state.name,
        flow_run_state_timestamp=run.state.timestamp,
        flow_run_state_message=run.state.message,
        message=fill_in(policy.message_template or DEFAULT_TEMPLATE, values),
    )


def fill_in(template: str, values: dict[str, object]) -> str:
    """A template with its documented names filled in: nothing is evaluated, and the length is bounded."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        return match[0][0] if name is None else str(values.get(name, match[0]))[:_LONGEST]

    return _PLACE.sub(value, template)[:_LONGEST]
