"""A command that is refused when it is admitted takes its turn all the same: nobody waits for it."""

from typing import Any

import pytest

from tests.pipeline.workshop import Envelope, Workshop, command
from workers.pipeline.admit import Limits


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


REFUSED: dict[str, tuple[Envelope, str]] = {
    "too large": ({"data": {"name": "x" * 5_000}}, "too_large"),
    "too deep": ({"data": {"name": "x", "labels": {"l": deep(80)}}}, "too_large"),
    "text that cannot be stored": ({"data": {"name": "a\x00b"}}, "invalid_message"),
    "data that are not valid": ({"data": {"nmae": "x"}}, "invalid_message"),
    "a fault elsewhere in the envelope": ({"time": "yesterday"}, "invalid_message"),
    "a type that does not exist": ({"type": "no.such"}, "unknown_type"),
}


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("what", REFUSED)
def test_it_takes_its_turn_and_is_told_why(workshop: Workshop, what: str, early: bool) -> None:
    workshop.limits = Limits(max_bytes=4_000)
    changed, code = REFUSED[what]
    first, bad, last = (
        command("flow.upsert", {"name": name}, partitionkey="k", sequence=str(number))
        for number, name in enumerate(("first", "bad", "last"), 1)
    )
    bad = {**bad, **changed}
    if early:
        assert workshop.handle(last) == workshop.handle(bad) == []
        results = workshop.handle(first)
    else:
        results = [each for it in (first, bad, last) for each in workshop.handle(it)]
    assert [each["causationid"] for each in results] == [first["id"], bad["id"], last["id"]]
    assert [each["data"]["status"] for each in results] == ["OK", "ERROR", "OK"]
    assert results[1]["data"]["error"]["code"] == code
    [again] = workshop.handle(bad)
    assert (again["id"], again["data"]["replayed"]) == (results[1]["id"], True)
