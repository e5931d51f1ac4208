"""Which rules apply, and in which order. Order lives here and nowhere else.

It decides which of two rules answers: after the first that turns a transition, no other is asked. So the
rules come from the most final to the most particular: what has happened already, what has ended, what is
being stopped, who may take it up, whether there is room, and only then what concerns a single kind of state.
"""

from workers.orchestration.policy import Policy, Rule, Transform
from workers.orchestration.rules import deployment_slots, tag_slots
from workers.orchestration.rules.background import (
    a_background_task_keeps_its_parameters,
    a_scheduled_background_task_is_announced,
)
from workers.orchestration.rules.caching import a_cached_result_is_used_again, a_completed_state_is_cached
from workers.orchestration.rules.cancelling import (
    a_run_that_nobody_runs_is_cancelled_at_once,
    only_cancelled_follows_cancelling,
)
from workers.orchestration.rules.duplicates import a_transition_happens_once
from workers.orchestration.rules.ended import (
    an_ended_flow_run_starts_again_only_from_scratch,
    an_ended_task_run_starts_again_only_from_scratch,
)
from workers.orchestration.rules.late import only_a_scheduled_run_can_be_late
from workers.orchestration.rules.naming import another_attempt_is_named_so
from workers.orchestration.rules.pausing import (
    a_paused_flow_goes_on_in_time_or_ends,
    only_a_running_flow_pauses_once_at_a_place,
)
from workers.orchestration.rules.pending import a_run_is_taken_up_by_one_process_only
from workers.orchestration.rules.retries import (
    a_failed_flow_run_is_tried_again,
    a_failed_task_run_is_tried_again,
)
from workers.orchestration.rules.scheduling import (
    a_pending_run_keeps_its_scheduled_time,
    no_run_starts_ahead_of_its_time,
)
from workers.orchestration.rules.stopped_flows import no_task_starts_in_a_stopped_flow
from workers.orchestration.rules.tracking import a_task_remembers_the_attempt_it_ran_in
from workers.orchestration.transition import FlowTransition, TaskTransition

_NEVER_UNDONE: tuple[Rule[FlowTransition], ...] = (
    a_transition_happens_once,
    an_ended_flow_run_starts_again_only_from_scratch,
    only_cancelled_follows_cancelling,
    a_run_that_nobody_runs_is_cancelled_at_once,
    a_run_is_taken_up_by_one_process_only,
)
_KINDS_OF_STATE: tuple[Rule[FlowTransition], ...] = (
    only_a_scheduled_run_can_be_late,
    only_a_running_flow_pauses_once_at_a_place,
    a_paused_flow_goes_on_in_time_or_ends,
    a_pending_run_keeps_its_scheduled_time,
    no_run_starts_ahead_of_its_time,
    a_failed_flow_run_is_tried_again,
)

CORE_FLOW: Policy[FlowTransition] = Policy(
    "core",
    (
        *_NEVER_UNDONE,
        # The slot is left again if one of the rules behind this one turns the run away.
        deployment_slots.a_run_takes_a_slot_of_its_deployment,
        *_KINDS_OF_STATE,
        deployment_slots.RELEASE,
    ),
)

# For clients that would lose a slot they took, see `versions`. A slot that another client took is given back.
CORE_FLOW_WITHOUT_SLOTS: Policy[FlowTransition] = Policy(
    "core without slots", (*_NEVER_UNDONE, *_KINDS_OF_STATE, deployment_slots.RELEASE)
)

# What `force` leaves: even then a run without a process is cancelled at once, and slots are given back.
MINIMAL_FLOW: Policy[FlowTransition] = Policy(
    "minimal", (a_run_that_nobody_runs_is_cancelled_at_once, deployment_slots.RELEASE)
)

# Commands may name it too, so it gives slots back like all others.
LATE_FLOW: Policy[FlowTransition] = Policy(
    "late", (only_a_scheduled_run_can_be_late, deployment_slots.RELEASE)
)

_ATTEMPTS: tuple[Rule[TaskTransition] | Transform[TaskTransition], ...] = (
    no_run_starts_ahead_of_its_time,
    a_failed_task_run_is_tried_again,
    # After the rule on ended runs, which sets the count of attempts back.
    another_attempt_is_named_so,
    a_task_remembers_the_attempt_it_ran_in,
    a_completed_state_is_cached,
    tag_slots.RELEASE,
)

CORE_TASK: Policy[TaskTransition] = Policy(
    "core",
    (
        # A cached result needs neither a running flow nor a slot.
        a_cached_result_is_used_again,
        an_ended_task_run_starts_again_only_from_scratch,
        no_task_starts_in_a_stopped_flow,
        tag_slots.a_task_takes_a_slot_of_each_of_its_tags,
        a_pending_run_keeps_its_scheduled_time,
        *_ATTEMPTS,
    ),
)

# For task runs whose proposed state is `deferred`. They have no flow run that could have stopped.
BACKGROUND_TASK: Policy[TaskTransition] = Policy(
    "background",
    (
        a_run_is_taken_up_by_one_process_only,
        a_cached_result_is_used_again,
        an_ended_task_run_starts_again_only_from_scratch,
        a_pending_run_keeps_its_scheduled_time,
        a_background_task_keeps_its_parameters,
        *_ATTEMPTS,
        a_scheduled_background_task_is_announced,
    ),
)

MINIMAL_TASK: Policy[TaskTransition] = Policy("minimal", (tag_slots.RELEASE,))

FLOW_POLICIES = {policy.name: policy for policy in (CORE_FLOW, MINIMAL_FLOW, LATE_FLOW)}
TASK_POLICIES = {policy.name: policy for policy in (CORE_TASK, MINIMAL_TASK)}
