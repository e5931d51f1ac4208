"""What is tagged `frozen` rests at weekends, and for as long as the run's own parameters say so.

Two rules and two policies: core, and these rules ahead of the one that hands out slots, so that a run that
may not start never takes a slot from one that may.
"""

from datetime import datetime, timedelta

from workers.policies.api import (
    CORE_FLOW,
    CORE_TASK,
    EVERY_TYPE,
    Abort,
    FlowTransition,
    State,
    StateType,
    Transition,
    Wait,
    only,
    rule,
    with_rules,
)

SATURDAY = 5
STARTING = only(StateType.PENDING, StateType.RUNNING)


@rule(EVERY_TYPE, STARTING)
def what_is_frozen_rests_at_weekends(t: Transition, _proposed: State) -> Wait | None:
    """It is asked again on Monday, at midnight UTC."""
    if "frozen" not in t.run.tags or t.now.weekday() < SATURDAY:
        return None
    return Wait("what is tagged `frozen` rests at weekends", seconds_until_monday(t.now))


@rule(EVERY_TYPE, STARTING)
def a_frozen_run_keeps_to_its_own_date(t: FlowTransition, _proposed: State) -> Abort | None:
    """`frozen_until` is a parameter of the flow: a date such as 2026-12-31."""
    until = t.run.parameters.get("frozen_until")
    if "frozen" not in t.run.tags or until is None or t.now.date().isoformat() >= until:
        return None
    return Abort(f"the run is frozen until {until}")


def seconds_until_monday(now: datetime) -> int:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight + timedelta(days=7 - now.weekday())
    return round((monday - now).total_seconds())


FLOW_POLICY = with_rules(
    CORE_FLOW,
    a_frozen_run_keeps_to_its_own_date,
    what_is_frozen_rests_at_weekends,
    name="example.frozen",
    before="a_run_takes_a_slot_of_its_deployment",
)

TASK_POLICY = with_rules(
    CORE_TASK,
    what_is_frozen_rests_at_weekends,
    name="example.frozen",
    before="a_task_takes_a_slot_of_each_of_its_tags",
)
