"""Names and keys that indexes can hold are kept, however badly they compress; longer ones are refused clearly."""

import random
from typing import Any
from uuid import uuid4

import pytest

from messages.fields import MAX_INDEXED_BYTES
from tests.pipeline.workshop import Workshop, command

RANDOM = random.Random(7)


def of_bytes(length: int) -> str:
    """Characters of four bytes each, in no order."""
    return "".join(chr(RANDOM.randrange(0x20000, 0x2A000)) for _ in range(length // 4))


def named(text: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """A command for each thing that is found by a name or key."""
    return {
        "flow": ("flow.upsert", {"name": text}),
        "deployment": ("deployment.upsert", {"flow_name": "f", "name": text}),
        "work pool": ("work_pool.upsert", {"name": text}),
        "work queue": ("work_queue.upsert", {"name": text, "work_pool_name": "p"}),
        "limit": ("concurrency_limit.upsert", {"name": text, "limit": 1}),
        "artifact": ("artifact.create", {"key": text, "type": "t"}),
        "flow run": ("flow_run.create", {"flow_name": "f", "name": text}),
        "flow of a run": ("flow_run.create", {"flow_name": text}),
        "idempotency key": ("flow_run.create", {"flow_name": "f", "idempotency_key": text}),
        "task key": ("task_run.create", {"task_key": text, "dynamic_key": "d"}),
        "dynamic key": ("task_run.create", {"task_key": "t", "dynamic_key": text}),
        "cache key": ("task_run.create", {"task_key": "t", "dynamic_key": "c", "cache_key": text}),
    }


LONGEST, TOO_LONG = named(of_bytes(MAX_INDEXED_BYTES)), named(of_bytes(MAX_INDEXED_BYTES + 4))


@pytest.mark.parametrize("case", LONGEST)
def test_the_longest_is_kept_and_found_again(workshop: Workshop, case: str) -> None:
    workshop.handle(command("work_pool.upsert", {"name": "p"}))
    for _ in range(2):
        [told] = workshop.handle(command(*LONGEST[case]))
        assert told["data"]["status"] == "OK", told


@pytest.mark.parametrize("case", TOO_LONG)
def test_one_that_no_index_holds_is_refused(workshop: Workshop, case: str) -> None:
    [told] = workshop.handle(command(*TOO_LONG[case]))
    assert told["data"]["error"]["code"] == "invalid_message"
    assert "at most 2000 bytes in UTF-8; this one has 2004" in told["data"]["error"]["message"]
    assert workshop.count("dead_letter") == workshop.count("attempt") == 0


def test_both_keys_of_a_task_run_fit_into_one_index_or_are_refused(workshop: Workshop) -> None:
    workshop.handle(command("flow_run.create", {"id": (run := str(uuid4())), "flow_name": "f"}))
    data = {"flow_run_id": run, "task_key": of_bytes(2_000)}
    [kept] = workshop.handle(command("task_run.create", {**data, "dynamic_key": of_bytes(600)}))
    assert kept["data"]["status"] == "OK"
    [refused] = workshop.handle(command("task_run.create", {**data, "dynamic_key": of_bytes(604)}))
    assert refused["data"]["error"]["code"] == "invalid_message"
    assert "at most 2600 bytes in UTF-8 together; these have 2604" in refused["data"]["error"]["message"]
    assert workshop.count("dead_letter") == workshop.count("attempt") == 0


def moved(workshop: Workshop, run: str, state: str, cache_key: str) -> dict[str, Any]:
    proposed = {"type": state, "state_details": {"cache_key": cache_key}}
    [told] = workshop.handle(command("task_run.set_state", {"task_run_id": run, "state": proposed}))
    answer: dict[str, Any] = told["data"]
    return answer


def test_a_result_is_cached_under_the_longest_key_and_none_under_a_longer_one(workshop: Workshop) -> None:
    key, runs = of_bytes(MAX_INDEXED_BYTES), [str(uuid4()) for _ in range(2)]
    for run in runs:
        workshop.handle(command("task_run.create", {"id": run, "task_key": "t", "dynamic_key": run}))
    for state in ("RUNNING", "COMPLETED"):
        assert moved(workshop, runs[0], state, key)["status"] == "ACCEPT"
    assert moved(workshop, runs[1], "RUNNING", f"{key}x")["error"]["code"] == "invalid_message"
    assert moved(workshop, runs[1], "RUNNING", key)["state"]["name"] == "Cached"
    assert workshop.count("dead_letter") == workshop.count("attempt") == 0
