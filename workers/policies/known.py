"""The policies that a command may name."""

from collections.abc import Mapping
from dataclasses import dataclass

from workers.orchestration.policies import FLOW_POLICIES, TASK_POLICIES
from workers.orchestration.policy import Policy
from workers.orchestration.transition import FlowTransition, TaskTransition


@dataclass(frozen=True, slots=True)
class RunPolicies:
    """By name: those for flow runs, and those for task runs."""

    flow: Mapping[str, Policy[FlowTransition]]
    task: Mapping[str, Policy[TaskTransition]]


#: those that come with the system
BUILT_IN = RunPolicies(FLOW_POLICIES, TASK_POLICIES)
