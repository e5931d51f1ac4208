"""The checker itself: a true history passes, and each kind of lie is found."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.crashes.history import History, Run

Lie = Callable[[History], None]


def command(ident: str, kind: str) -> dict[str, Any]:
    return {"id": ident, "type": kind, "source": "s", "replyto": "r", "partitionkey": "k", "sequence": ident}


def result(ident: str, kind: str, **data: Any) -> dict[str, Any]:
    common = {"command": {"id": ident, "type": kind}, "replayed": False}
    return {"id": f"result-{ident}", "causationid": ident, "data": {**common, **data}}


def event(number: int, kind: str, **data: Any) -> dict[str, Any]:
    ids = {"id": f"event-{number}", "causationid": str(number), "subject": "run", "sequence": str(number)}
    return {**ids, "type": f"flow_run.{kind}", "data": data}


def moved(number: int, before: str | None, after: str) -> dict[str, Any]:
    return event(
        number, "state_changed", initial_state=before and {"id": before}, validated_state={"id": after}
    )


def true_history() -> History:
    """A run is made and moved twice; one result and one event came twice."""
    kinds = {"1": "flow_run.create", "2": "flow_run.set_state", "3": "flow_run.set_state"}
    results = [
        result("1", kinds["1"], status="OK", created=True, flow_run={"state": None}),
        result("2", kinds["2"], status="ACCEPT", state={"id": "a"}),
        result("3", kinds["3"], status="ACCEPT", state={"id": "b"}),
    ]
    again = {**results[1], "data": {**results[1]["data"], "replayed": True}}
    events = [event(1, "created"), moved(2, None, "a"), moved(2, None, "a"), moved(3, "a", "b")]
    return History(
        sent={ident: command(ident, kind) for ident, kind in kinds.items()},
        results=[*results, again],
        events=events,
        inbox={each["causationid"]: each for each in results},
        runs={"run": Run(version=3, state_id="b", states=["a", "b"])},
        at_rest={"nothing is left": 0},
    )


def without(index: int, name: str) -> Lie:
    def lie(history: History) -> None:
        setattr(history, name, [each for place, each in enumerate(getattr(history, name)) if place != index])

    return lie


def swapped(history: History) -> None:
    history.events = [history.events[0], history.events[3], history.events[1]]


def answered_twice(history: History) -> None:
    history.results = [*history.results, history.results[0]]


def other_id(history: History) -> None:
    history.results = [{**history.results[0], "id": "another"}, *history.results[1:]]


def other_content(history: History) -> None:
    history.events = [*history.events, {**history.events[0], "data": {"other": True}}]


def lost_row(history: History) -> None:
    history.runs = {"run": Run(version=2, state_id="a", states=["a"])}


def gone(history: History) -> None:
    history.runs = {}


def broken_chain(history: History) -> None:
    history.events = [*history.events[:3], moved(3, "somewhere else", "b")]


def change_without_command(history: History) -> None:
    history.events = [*history.events, moved(4, "b", "c")]


def left_over(history: History) -> None:
    history.at_rest = {"nothing is left": 2}


def still_waiting(history: History) -> None:
    history.waiting = 1


LIES: dict[str, tuple[Lie, str]] = {
    "a result is missing": (without(0, "results"), "has no result"),
    "an event is missing": (without(0, "events"), "has the versions"),
    "the last event is missing": (without(3, "events"), "announced changes"),
    "events changed places": (swapped, "has the versions"),
    "a command was applied twice": (answered_twice, "answered twice"),
    "a repeat has another id": (other_id, "differ from the one in the inbox"),
    "an event has two contents": (other_content, "with two contents"),
    "the row is older than its history": (lost_row, "has version 2"),
    "the run is gone": (gone, "is not there"),
    "a state follows another than the last": (broken_chain, "does not follow"),
    "something changed by itself": (change_without_command, "made 0 changes"),
    "something is left over": (left_over, "nothing is left"),
    "a message still waits": (still_waiting, "still in the queue"),
}


def test_a_true_history_has_no_violations() -> None:
    assert true_history().violations() == []


@pytest.mark.parametrize("what", LIES)
def test_a_lie_is_found(what: str) -> None:
    lie, sentence = LIES[what]
    history = true_history()
    lie(history)
    assert any(sentence in each for each in history.violations()), history.violations()
