"""All that a writer of rules needs, from one place. See docs/custom-rules.md.

What stands here keeps its name and its meaning within a major version; modules behind it do not.
"""

from messages.runs import FlowRun, TaskRun
from messages.states import TERMINAL, State, StateDetails, StateType
from workers.orchestration.policies import CORE_FLOW, CORE_TASK, MINIMAL_FLOW, MINIMAL_TASK
from workers.orchestration.policy import EVERY_TYPE, TERMINAL_TYPES, Policy, Rule, all_except, only, rule
from workers.orchestration.transition import FlowTransition, TaskTransition, Transition
from workers.orchestration.verdicts import Abort, Amend, Reject, SetParameter, Verdict, Wait
from workers.policies.composing import PolicyError, with_rules

__all__ = [
    "CORE_FLOW",
    "CORE_TASK",
    "EVERY_TYPE",
    "MINIMAL_FLOW",
    "MINIMAL_TASK",
    "TERMINAL",
    "TERMINAL_TYPES",
    "Abort",
    "Amend",
    "FlowRun",
    "FlowTransition",
    "Policy",
    "PolicyError",
    "Reject",
    "Rule",
    "SetParameter",
    "State",
    "StateDetails",
    "StateType",
    "TaskRun",
    "TaskTransition",
    "Transition",
    "Verdict",
    "Wait",
    "all_except",
    "only",
    "rule",
    "with_rules",
]
