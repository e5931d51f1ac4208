"""Interlock decides as the reference does, but for the differences that were decided on."""

import pytest
from redis import Redis

from tests.crashes.history import History, at_rest, from_database
from tests.crashes.processes import until
from tests.crashes.producer import Tail
from tests.parity.corpus import areas, cases, chosen, named
from tests.parity.differences import DIFFERENCES
from tests.parity.replay import replay
from workers.settings import Settings


@pytest.mark.parametrize("area", areas())
def test_the_recorded_cases_are_answered_as_recorded(redis: Redis, interlock: str, area: str) -> None:
    as_recorded = [case for case in chosen(area) if case["id"] not in DIFFERENCES]
    assert replay(redis, interlock, as_recorded) == {}


def test_the_decided_differences_are_just_these(redis: Redis, interlock: str) -> None:
    differing = replay(redis, interlock, named(*DIFFERENCES))
    assert differing.keys() == DIFFERENCES.keys()
    for ident, difference in DIFFERENCES.items():
        steps = {int(sentence.removeprefix("step ").split(":")[0]) for sentence in differing[ident]}
        assert steps == difference.says.keys(), ident
        for step, sentences in difference.says.items():
            for sentence in sentences:
                assert f"step {step}: {sentence}" in differing[ident], (ident, difference.reason)


def test_whatever_was_replayed_every_run_has_a_whole_history(redis: Redis, running: Settings) -> None:
    """Versions without a gap, each announced; whatever rules, retries and subflows did."""
    replay(redis, running.namespace, [case for area in ("subflows", "transforms") for case in chosen(area)])
    until(lambda: at_rest(running.database_url, redis, running.namespace), 20, what="rest")
    events = Tail(redis, f"{running.namespace}:events").read()
    history = from_database(running.database_url, History({}, [], events))
    assert list(history.broken_histories()) == []


def test_the_sample_has_cases_of_every_area_and_every_case_has_steps() -> None:
    assert len(cases()) == 2_350
    assert len(areas()) == 24
    assert all(chosen(area) for area in areas())
    assert all(case["steps"] for case in cases())
