"""The policies that are installed: found by their entry points, once, when a worker starts.

A policy that cannot be used keeps the worker from starting. Without it, commands that name it would end as
errors for good, and differently from one worker to the next.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from workers.orchestration.policies import (
    BACKGROUND_TASK,
    CORE_FLOW,
    CORE_FLOW_WITHOUT_SLOTS,
    FLOW_POLICIES,
    TASK_POLICIES,
)
from workers.orchestration.policy import Policy, Rule, Transform
from workers.orchestration.rules import deployment_slots, tag_slots
from workers.policies.checked import checked
from workers.policies.composing import PolicyError
from workers.policies.known import RunPolicies

FLOW_GROUP = "interlock.flow_policies"
TASK_GROUP = "interlock.task_policies"

# As in the `policy` member of a command.
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,99}")
_OURS: tuple[Policy[Any], ...] = (
    *FLOW_POLICIES.values(),
    *TASK_POLICIES.values(),
    CORE_FLOW,
    CORE_FLOW_WITHOUT_SLOTS,
    BACKGROUND_TASK,
)
_OUR_RULES = frozenset(entry for policy in _OURS for entry in policy.entries if isinstance(entry, Rule))
_RESERVED = frozenset(policy.name for policy in _OURS)


def load_policies() -> RunPolicies:
    """Those that come with the system, and those that are installed beside it.

    Raises:
        PolicyError: some of them cannot be used; names package and entry point of each.
    """
    faults: list[str] = []
    flow = _installed(FLOW_GROUP, deployment_slots.RELEASE, faults)
    task = _installed(TASK_GROUP, tag_slots.RELEASE, faults)
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise PolicyError(f"These installed policies cannot be used; mend or uninstall them:\n{lines}")
    return RunPolicies({**FLOW_POLICIES, **flow}, {**TASK_POLICIES, **task})


def _installed(group: str, release: Transform[Any], faults: list[str]) -> Mapping[str, Policy[Any]]:
    found: dict[str, Policy[Any]] = {}
    for point in sorted(entry_points(group=group), key=lambda it: (it.name, it.value)):
        fault = f"{point.name!r} is installed twice" if point.name in found else None
        policy = None if fault else _loaded(point)
        fault = fault or next(_faults(point, policy, release), None)
        if fault is None:
            found[point.name] = checked(policy, _OUR_RULES)  # type: ignore[arg-type]
        else:
            faults.append(f"{_origin(point)}: {fault}")
    return found


def _loaded(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:  # noqa: BLE001 - whatever somebody's module raises when it is imported
        return error


def _faults(point: EntryPoint, policy: object, release: Transform[Any]) -> Iterator[str]:
    if isinstance(policy, Exception):
        yield f"{type(policy).__name__}: {policy}"
    elif not isinstance(policy, Policy):
        yield f"it is of type {type(policy).__name__}, not a Policy"
    elif not all(isinstance(entry, Rule | Transform) for entry in policy.entries):
        yield "its entries are not all made with @rule"
    elif point.name in _RESERVED or not _NAME.fullmatch(point.name):
        yield f"{point.name!r} cannot be its name: that is taken, or not of the form {_NAME.pattern}"
    elif policy.name != point.name:
        yield f"the policy calls itself {policy.name!r}: both names have to be the same"
    elif release not in policy.entries:
        yield "it would never give slots back: build it on the core or the minimal policy, of the same group"


def _origin(point: EntryPoint) -> str:
    package = f"package {point.dist.name} {point.dist.version}" if point.dist else "unknown package"
    return f"{package}, entry point {point.name} = {point.value} of {point.group}"
