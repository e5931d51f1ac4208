"""A policy made of another one and some rules more."""

from typing import TypeVar

from workers.orchestration.policy import Policy, Rule
from workers.orchestration.transition import Transition

T = TypeVar("T", bound=Transition)


class PolicyError(Exception):
    """Raised when a policy cannot be made, or an installed one cannot be used."""


def with_rules(
    policy: Policy[T], *rules: Rule[T], name: str, before: str | None = None, after: str | None = None
) -> Policy[T]:
    """The same policy with these rules too: ahead of all others, or next to the rule that is named.

    Raises:
        PolicyError: the policy has no such rule.
    """
    place = _place(policy, before, after)
    return Policy(name, (*policy.entries[:place], *rules, *policy.entries[place:]))


def _place(policy: Policy[T], before: str | None, after: str | None) -> int:
    if before is not None and after is not None:
        raise PolicyError("name a rule in `before` or in `after`, not in both")
    neighbour = before or after
    if neighbour is None:
        return 0
    for place, entry in enumerate(policy.entries):
        if isinstance(entry, Rule) and entry.name == neighbour:
            return place if before else place + 1
    names = ", ".join(entry.name for entry in policy.entries if isinstance(entry, Rule))
    raise PolicyError(f"the policy {policy.name} has no rule {neighbour}; it has {names}")
