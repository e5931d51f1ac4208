"""Who cannot prove what they are is answered, and that is all: nothing changes, nothing is used up, nothing told."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.pipeline.workshop import Workshop, batch, body_of, command
from tests.security.keys import SECRETS, Envelope, signed
from workers.now import now
from workers.pipeline.admit import Limits
from workers.pipeline.guard import Guard
from workers.trust import patterns, rules_of

HOUR = timedelta(hours=1)


def guarded(workshop: Workshop, **changed: Any) -> Workshop:
    """The same workshop behind a guard who knows the keys of the tests."""
    guard = Guard(**{"keys": SECRETS, "max_age": HOUR, **changed})
    return replace(workshop, limits=Limits(guard=guard))


def upsert(name: str = "f", **attributes: Any) -> Envelope:
    return command("flow.upsert", {"name": name}, **{"time": now().isoformat(), **attributes})


def told(workshop: Workshop, *envelopes: Envelope) -> list[tuple[str, str | None]]:
    """(id of the command, error code) of all results."""
    results = workshop.handle(*envelopes)
    return [
        (each["causationid"], each["data"]["error"]["code"] if each["data"]["error"] else None)
        for each in results
    ]


def nothing_is_there(workshop: Workshop) -> bool:
    tables = ("flow", "command", "attempt", "parked_command", "sequence_position", "dead_letter", "outbox")
    return all(workshop.count(table) == 0 for table in (*tables, "unpublished_results"))


FORGERIES: dict[str, Callable[[Envelope], Envelope]] = {
    "unsigned": lambda given: given,
    "signed with another secret": lambda given: signed(given, secret=b"x" * 32),
    "signed with an unknown key": lambda given: signed(given, "c", SECRETS["a"]),
    "altered data": lambda given: {**signed(given), "data": {"name": "other"}},
    "altered replyto": lambda given: {**signed(given), "replyto": "mine"},
    "an attribute more": lambda given: {**signed(given), "note": "x"},
    "an attribute less": lambda given: {k: v for k, v in signed(given).items() if k != "time"},
    "no base64": lambda given: {**given, "signature": "v1:a:%%%"},
    "not a text": lambda given: {**given, "signature": 7},
    "of another version": lambda given: {
        **given,
        "signature": signed(given)["signature"].replace("v1", "v2"),
    },
    "cut off": lambda given: {**given, "signature": signed(given)["signature"][:-8]},
    "of no canonical form": lambda given: {**signed(given), "note": 2**60 + 1},
    "broken besides": lambda given: {**given, "specversion": "7"},
    "no id": lambda given: {**given, "id": None},
    "of an unknown type": lambda given: {**given, "type": "flow.nonsense"},
    "without data": lambda given: {**given, "data": {}},
    "expired": lambda given: {**given, "expirytime": "2020-01-01T00:00:00Z"},
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_command_changes_nothing_and_leaves_its_id_to_its_owner(
    workshop: Workshop, forge: Callable[[Envelope], Envelope]
) -> None:
    workshop = guarded(workshop)
    genuine = upsert()
    assert [code for _, code in told(workshop, forge(genuine))] == ["unauthorized"]
    assert nothing_is_there(workshop)
    assert told(workshop, signed(genuine)) == [(genuine["id"], None)]


def test_a_signed_command_is_applied_whichever_of_the_keys_it_is_signed_with(workshop: Workshop) -> None:
    workshop = guarded(workshop)
    one, other = upsert("a"), upsert("b")
    assert told(workshop, signed(one, "a"), signed(other, "b")) == [(one["id"], None), (other["id"], None)]


def test_a_forged_repeat_does_not_get_the_stored_result_published(workshop: Workshop) -> None:
    workshop = guarded(workshop)
    genuine = upsert()
    workshop.handle(signed(genuine))
    [result] = workshop.handle({**genuine, "replyto": "mine"})
    assert result["data"]["error"]["code"] == "unauthorized"
    assert result["data"].keys() == {"command", "status", "replayed", "error"}
    assert workshop.count("unpublished_results") == 1


def test_in_one_batch_a_forgery_and_the_genuine_command_do_not_know_each_other(workshop: Workshop) -> None:
    workshop = guarded(workshop)
    genuine = upsert()
    results = workshop.handle(genuine, signed(genuine), genuine, signed(genuine))
    statuses = sorted((each["data"]["status"], each["data"]["replayed"]) for each in results)
    assert statuses == [("ERROR", False), ("ERROR", False), ("OK", False), ("OK", True)]


def test_a_forged_command_takes_no_turn_of_a_sequence(workshop: Workshop) -> None:
    workshop = guarded(workshop)
    first = upsert("a", partitionkey="k", sequence="1")
    assert told(workshop, first) == [(first["id"], "unauthorized")]
    assert nothing_is_there(workshop)
    assert told(workshop, signed(first)) == [(first["id"], None)]


def test_a_forged_copy_of_a_parked_command_does_not_disturb_it(workshop: Workshop) -> None:
    workshop = guarded(workshop)
    first, second = (upsert(name, partitionkey="k", sequence=str(n)) for n, name in ((1, "a"), (2, "b")))
    assert told(workshop, signed(second)) == []
    assert told(workshop, {**second, "replyto": "mine"}) == [(second["id"], "unauthorized")]
    assert told(workshop, signed(first)) == [(first["id"], None), (second["id"], None)]


def at(workshop: Workshop, moment: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.pipeline.handler.now", lambda: moment)
    workshop.clock = lambda: moment


def test_an_old_signed_command_is_refused_and_a_later_one_may_use_its_id(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop = guarded(workshop)
    old = upsert()
    at(workshop, now() + HOUR + timedelta(minutes=1), monkeypatch)
    assert told(workshop, signed(old)) == [(old["id"], "unauthorized")]
    assert nothing_is_there(workshop)
    renewed = {**old, "time": workshop.clock().isoformat()}
    assert told(workshop, signed(old), signed(renewed)) == [
        (old["id"], "unauthorized"),
        (old["id"], None),
    ] or (told(workshop, signed(renewed)) == [(old["id"], None)])
    assert workshop.count("flow") == 1


def test_an_old_repeat_of_a_known_command_gets_its_stored_result(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop = guarded(workshop)
    sent = signed(upsert())
    [first] = workshop.handle(sent)
    at(workshop, now() + 2 * HOUR, monkeypatch)
    [again] = workshop.handle(sent)
    assert again == {**first, "data": {**first["data"], "replayed": True}}


def test_an_old_repeat_of_a_command_that_waits_for_its_turn_is_not_answered_before_it(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop = guarded(workshop)
    second = signed(upsert("b", partitionkey="k", sequence="2"))
    workshop.handle(second)
    at(workshop, now() + 2 * HOUR, monkeypatch)
    assert told(workshop, second) == []
    assert workshop.count("parked_command") == 1


def test_an_old_command_of_a_sequence_takes_no_turn(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop = guarded(workshop)
    old = upsert("a", partitionkey="k", sequence="1")
    at(workshop, now() + 2 * HOUR, monkeypatch)
    assert told(workshop, signed(old)) == [(old["id"], "unauthorized")]
    assert workshop.count("sequence_position") == 0


@pytest.mark.parametrize(("ahead", "said"), [(None, "needs a `time`"), (HOUR, "is in the future")])
def test_a_signed_command_has_a_time_that_is_not_to_come(
    workshop: Workshop, ahead: timedelta | None, said: str
) -> None:
    sent = upsert(time=None if ahead is None else (now() + ahead).isoformat())
    [result] = guarded(workshop).handle(signed(sent))
    assert result["data"]["error"]["code"] == "unauthorized"
    assert said in result["data"]["error"]["message"]


RULES = rules_of('{"a": {"sources": ["billing/*", "tests"], "types": ["flow.*"]}}')


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (upsert("f", source="tests"), None),
        (upsert("f", source="billing/x"), None),
        (upsert("f", source="shop"), "unauthorized"),
        (command("work_pool.upsert", {"name": "p"}, time=now().isoformat()), "unauthorized"),
    ],
)
def test_a_key_is_for_the_sources_and_types_of_its_rule(
    workshop: Workshop, sent: Envelope, code: str | None
) -> None:
    workshop = guarded(workshop, rules=RULES)
    assert told(workshop, signed(sent, "a")) == [(sent["id"], code)]
    assert workshop.count("command") == (1 if code is None else 0)
    other = {**sent, "id": str(uuid4())}
    assert told(workshop, signed(other, "b")) == [(other["id"], None)]


def test_each_command_of_a_batch_is_signed_by_itself_and_so_is_the_batch(workshop: Workshop) -> None:
    workshop = guarded(workshop, rules=RULES)
    mine, unsigned, foreign = upsert("a"), upsert("b"), upsert("c", source="shop")
    whole = {**batch(signed(mine), unsigned, signed(foreign)), "time": now().isoformat()}
    assert told(workshop, whole) == [(whole["id"], "unauthorized")]
    assert nothing_is_there(workshop)
    assert sorted(told(workshop, signed(whole)), key=str) == sorted(
        [(mine["id"], None), (unsigned["id"], "unauthorized"), (foreign["id"], "unauthorized")], key=str
    )


def test_what_is_too_large_uses_up_no_id_unless_it_could_be_read(workshop: Workshop) -> None:
    workshop = guarded(workshop)
    workshop.limits = replace(workshop.limits, max_bytes=600)
    large = command("flow_run.create", {"flow_name": "f", "parameters": {"p": "x" * 500}})
    assert told(workshop, large) == [(large["id"], "too_large")]
    assert nothing_is_there(workshop)


def test_what_is_not_signed_is_answered_on_streams_and_by_no_actor(workshop: Workshop) -> None:
    assert guarded(workshop).handle(upsert(replyto="actor:results/take")) == []


def test_another_try_needs_no_signature_and_cannot_be_asked_for_by_a_command(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.handlers import table

    workshop = guarded(workshop)
    sent = signed(upsert())
    with monkeypatch.context() as broken:
        broken.setitem(table.HANDLERS, "flow.upsert", lambda *_: 1 / 0)
        workshop.handle(sent)
    assert workshop.count("attempt") == 1
    forged = {**sent, "data": {"name": "forged"}}
    assert told(workshop, forged) == [(sent["id"], "unauthorized")]
    later = guarded(workshop, keys={"other": b"o" * 32})
    assert [each["data"]["status"] for each in later.try_again()] == ["OK"]
    assert [row["name"] for row in workshop.rows("SELECT name FROM flow")] == ["f"]


def test_an_answer_goes_to_no_place_that_is_not_allowed(workshop: Workshop) -> None:
    workshop = guarded(workshop, keys={}, replyto=patterns(["tests", "actor:results/*"]))
    inside, outside = upsert("a"), upsert("b", replyto="foreign")
    assert told(workshop, inside, outside) == [(inside["id"], None)]
    assert [row["name"] for row in workshop.rows("SELECT name FROM flow")] == ["a"]
    [row] = workshop.rows("SELECT replyto, result FROM command WHERE id = %(id)s", id=outside["id"])
    error = json.loads(row["result"])["data"]["error"]
    assert (row["replyto"], error["code"]) == (None, "invalid_message")
    assert error["errors"][0]["loc"] == ["replyto"]
    assert workshop.rows("SELECT cardinality(command_ids) AS n FROM unpublished_results") == [{"n": 1}]


def test_what_cannot_be_read_is_answered_in_no_place_that_is_not_allowed(workshop: Workshop) -> None:
    workshop = guarded(workshop, keys={}, replyto=patterns(["tests"]))
    broken = {"type": "flow.upsert", "replyto": "foreign"}
    assert workshop.handle(broken, {**broken, "id": str(uuid4()), "source": "tests"}) == []
    assert workshop.handle_bodies(body_of({**broken, "replyto": "tests"})) != []


def test_a_misaddressed_command_takes_no_turn(workshop: Workshop) -> None:
    workshop = guarded(workshop, keys={}, replyto=patterns(["tests"]))
    late = upsert("b", partitionkey="k", sequence="2", replyto="foreign")
    assert workshop.handle(late) == []
    assert workshop.count("parked_command") == 0
    first, second = (upsert(name, partitionkey="k", sequence=str(n)) for n, name in ((1, "a"), (2, "b")))
    assert told(workshop, first, second) == [(first["id"], None), (second["id"], None)]


def test_a_policy_notifies_no_name_that_is_not_allowed(workshop: Workshop) -> None:
    workshop = guarded(workshop, keys={}, notify=patterns(["team-*"]))
    policies = [command("notification_policy.upsert", {"notify": name}) for name in ("team-a", "others")]
    assert [code for _, code in told(workshop, *policies)] == [None, "invalid_message"]
    assert [row["notify"] for row in workshop.rows("SELECT notify FROM notification_policy")] == ["team-a"]
