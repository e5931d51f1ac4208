"""How a run's retry policy is kept: the deprecated names are read, the present ones are used."""

from typing import TypeVar

from messages.runs import FlowRunPolicy, TaskRunPolicy

P = TypeVar("P", FlowRunPolicy, TaskRunPolicy)


def as_kept(policy: P) -> P:
    """`max_retries` and `retry_delay_seconds` stand in where `retries` and `retry_delay` are empty."""
    update = {}
    if not policy.retries and policy.max_retries:
        update["retries"] = policy.max_retries
    if not policy.retry_delay and policy.retry_delay_seconds:
        update["retry_delay"] = int(policy.retry_delay_seconds)
    return policy.model_copy(update=update) if update else policy
