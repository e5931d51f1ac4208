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


def moved(
    number: int, before: str | None, after: str, state: str = "RUNNING", run: str = "run"
) -> dict[str, Any]:
    written = {"id": after, "type": state, "timestamp": "2026-11-23T12:00:00Z"}
    states = {"initial_state": before and {"id": before}, "validated_state": written}
    made = event(number, "state_changed", **states, run={"id": run, "deployment_id": "d"})
    return {**made, "subject": run}


def notification(ident: str) -> dict[str, Any]:
    return {"id": ident, "type": "notification", "causationid": "2", "subject": "run", "data": {}}


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
    events += [notification("n1"), notification("n2")]
    return History(
        sent={ident: command(ident, kind) for ident, kind in kinds.items()},
        results=[*results, again],
        events=events,
        inbox={each["causationid"]: each for each in results},
        runs={"run": Run(version=3, state_id="b", states=["a", "b"])},
        at_rest={"nothing is left": 0},
        outbox=[*events[:2], events[3], notification("n1"), notification("n2")],
        notices=[notification("n1"), notification("n1"), notification("n2")],
        limits={"d": 1},
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


def not_committed(history: History) -> None:
    history.outbox = [each for each in history.outbox if each["id"] != "event-3"]


def not_published(history: History) -> None:
    history.outbox = [*history.outbox, event(4, "updated")]


def committed_in_another_order(history: History) -> None:
    history.outbox = [history.outbox[1], history.outbox[0], *history.outbox[2:]]


def notices_changed_places(history: History) -> None:
    history.notices = list(reversed(history.notices))


def two_in_one_slot(history: History) -> None:
    history.events = [
        *history.events,
        moved(4, "b", "c", "PENDING"),
        moved(5, None, "d", "PENDING", run="other"),
    ]


def dropped_in_silence(history: History) -> None:
    history.doomed = {"what cannot be read"}


def unexpected_dead_letter(history: History) -> None:
    history.dead = ["a good command"]


def reused_in_silence(history: History) -> None:
    history.altered = {"2"}


def given_up_without_cause(history: History) -> None:
    stored = history.inbox["3"]
    error = {"status": "ERROR", "error": {"code": "internal"}}
    history.inbox = {**history.inbox, "3": {**stored, "data": {**stored["data"], **error}}}


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
    "an event was published and not committed": (
        not_committed,
        "1 events of run were published and not committed",
    ),
    "an event was committed and not published": (
        not_published,
        "1 events of run were committed and not published",
    ),
    "events left in another order": (committed_in_another_order, "not published in the order of the outbox"),
    "notifications changed places": (notices_changed_places, "or their order differs"),
    "a slot was given twice": (two_in_one_slot, "2 runs of deployment d held its slots"),
    "a message was dropped in silence": (dropped_in_silence, "is not in the dead letters"),
    "a good command became a dead letter": (unexpected_dead_letter, "nobody expected this dead letter"),
    "another payload was taken in silence": (reused_in_silence, "nobody was told"),
    "trouble became a verdict": (given_up_without_cause, "ended with the error internal"),
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
