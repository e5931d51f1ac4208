"""A command that fails for its own sake is set aside, alone, counted, and given up in the end."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from messages.results import Outcome
from tests.pipeline.workshop import Workshop, body_of, command
from workers.handlers import table
from workers.handlers.catalog import upsert_flow
from workers.now import now
from workers.pipeline.admit import AGAIN
from workers.world.world import World


class Fault(Exception):
    """Raised by a handler that has a bug."""


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Names of flows whose upsert fails, after it has changed the world."""
    names = {"poison"}

    def upsert(world: World, data: Any) -> Outcome:
        outcome = upsert_flow(world, data)
        if data.name in names:
            raise Fault(data.name)
        return outcome

    monkeypatch.setitem(table.HANDLERS, "flow.upsert", upsert)
    return names  # type: ignore[return-value]


def upsert(name: str, **attributes: Any) -> dict[str, Any]:
    return command("flow.upsert", {"name": name}, **attributes)


def test_a_poisonous_command_is_set_aside_alone(workshop: Workshop, poison: set[str]) -> None:
    batch = [upsert("a"), upsert("poison"), upsert("b")]
    results = workshop.handle(*batch)
    assert [result["causationid"] for result in results] == [batch[0]["id"], batch[2]["id"]]
    assert {row["name"] for row in workshop.rows("SELECT name FROM flow")} == {"a", "b"}
    [attempt] = workshop.rows("SELECT * FROM attempt")
    assert (str(attempt["command_id"]), attempt["attempts"]) == (batch[1]["id"], 1)
    assert attempt["last_error"].endswith("Fault: poison")
    assert attempt["envelope"] == batch[1]


def test_its_next_attempt_is_later_each_time(workshop: Workshop, poison: set[str]) -> None:
    bad = upsert("poison")
    waits = []
    for _ in range(2):
        workshop.handle(bad)
        [row] = workshop.rows("SELECT extract(epoch FROM next_attempt_at - now()) AS wait FROM attempt")
        waits.append(float(row["wait"]))
    assert 0 < waits[0] < 0.6
    assert 0.6 < waits[1] < 1.1


def test_after_the_last_attempt_it_is_a_dead_letter_and_its_sender_is_told(
    workshop: Workshop, poison: set[str]
) -> None:
    bad = upsert("poison", correlationid="c")
    assert [workshop.handle(bad) for _ in range(2)] == [[], []]
    [result] = workshop.handle(bad)
    assert result["data"]["status"] == "ERROR"
    assert result["data"]["error"]["code"] == "internal"
    assert "poison" not in result["data"]["error"]["message"], "a fault of ours is not told in detail"
    [letter] = workshop.rows("SELECT * FROM dead_letter")
    assert (str(letter["command_id"]), letter["attempts"], letter["type"]) == (bad["id"], 3, "flow.upsert")
    assert letter["reason"].endswith("Fault: poison")
    [event] = workshop.events()
    assert event["type"] == "command.dead_lettered"
    assert (event["subject"], event["correlationid"]) == (bad["id"], "c")
    assert event["data"] == {"command": bad, "error": result["data"]["error"], "attempts": 3}
    assert workshop.count("attempt") == 0
    [again] = workshop.handle(bad)
    assert (again["id"], again["data"]["replayed"]) == (result["id"], True)


def test_one_that_goes_through_at_last_is_answered_as_ever(workshop: Workshop, poison: set[str]) -> None:
    bad = upsert("poison")
    workshop.handle(bad)
    poison.clear()
    [result] = workshop.handle(bad)
    assert (result["data"]["status"], result["data"]["replayed"]) == ("OK", False)


def test_given_up_it_takes_its_turn_and_its_followers_go_on(workshop: Workshop, poison: set[str]) -> None:
    bad = upsert("poison", partitionkey="k", sequence="1")
    good = upsert("good", partitionkey="k", sequence="2")
    assert [workshop.handle(bad, good) for _ in range(2)] == [[], []]
    told, followed = workshop.handle(bad)
    assert (told["causationid"], told["data"]["error"]["code"]) == (bad["id"], "internal")
    assert (followed["causationid"], followed["data"]["status"]) == (good["id"], "OK")


def test_a_poisonous_follower_does_not_harm_the_command_that_it_waited_for(
    workshop: Workshop, poison: set[str]
) -> None:
    """It is parked; the missing command comes, brings it along, and is not the one to blame."""
    first, bad, last = (
        upsert(name, partitionkey="k", sequence=str(number))
        for number, name in enumerate(("first", "poison", "last"), 1)
    )
    assert workshop.handle(bad, last) == []
    [result] = workshop.handle(first)
    assert (result["causationid"], result["data"]["status"]) == (first["id"], "OK")
    [attempt] = workshop.rows("SELECT * FROM attempt")
    assert (str(attempt["command_id"]), attempt["attempts"]) == (bad["id"], 1)
    assert workshop.handle(bad) == [], "as the clock sends it again"
    told, followed = workshop.handle(bad)
    assert (told["causationid"], told["data"]["error"]["code"]) == (bad["id"], "internal")
    assert (followed["causationid"], followed["data"]["status"]) == (last["id"], "OK")
    assert (workshop.count("parked_command"), workshop.count("attempt")) == (0, 0)
    assert [str(row["command_id"]) for row in workshop.rows("SELECT command_id FROM dead_letter")] == [
        bad["id"]
    ]


def test_a_follower_that_recovers_is_applied_when_it_is_sent_again(
    workshop: Workshop, poison: set[str]
) -> None:
    first, bad = (
        upsert(name, partitionkey="k", sequence=str(n)) for n, name in ((1, "first"), (2, "poison"))
    )
    workshop.handle(bad)
    workshop.handle(first)
    poison.clear()
    [result] = workshop.handle(bad)
    assert (result["causationid"], result["data"]["status"]) == (bad["id"], "OK")
    assert workshop.count("parked_command") == 0


def test_what_cannot_be_read_is_a_dead_letter_as_it_came(workshop: Workshop) -> None:
    bodies = [b"no json", b'{"args": [7]}', b"\xff\x00\xfe", b""]
    good = upsert("good")
    results = workshop.handle_bodies(bodies[0], bodies[1], body_of(good), bodies[2], bodies[3])
    assert [result["causationid"] for result in results] == [good["id"]]
    letters = workshop.rows("SELECT body, reason, queue, command_id FROM dead_letter")
    assert sorted(bytes(letter["body"]) for letter in letters) == sorted(bodies)
    assert {(letter["queue"], letter["command_id"]) for letter in letters} == {("commands", None)}
    assert all(letter["reason"] for letter in letters)


def test_an_unreadable_envelope_is_kept_and_its_sender_told_where_one_is_named(workshop: Workshop) -> None:
    nameless = {**upsert("x"), "id": 7}
    [result] = workshop.handle(nameless)
    assert result["data"]["error"]["code"] == "invalid_message"
    [letter] = workshop.rows("SELECT type, source FROM dead_letter")
    assert letter == {"type": "flow.upsert", "source": "tests"}


def test_another_try_takes_the_command_from_the_database_however_late_it_is_by_now(
    workshop: Workshop, poison: set[str]
) -> None:
    soon = (now() + timedelta(seconds=60)).isoformat()
    bad = upsert("poison", expirytime=soon)
    workshop.handle(bad)
    poison.clear()
    workshop.clock = lambda: now() + timedelta(hours=1)
    [result] = workshop.handle({"type": AGAIN, "id": bad["id"]})
    assert (result["causationid"], result["data"]["status"]) == (bad["id"], "OK")
    assert {row["name"] for row in workshop.rows("SELECT name FROM flow")} == {"poison"}


def test_whoever_asks_for_another_try_of_what_has_not_failed_gets_nothing(workshop: Workshop) -> None:
    [result] = workshop.handle(done := upsert("a"))
    assert result["data"]["status"] == "OK"
    assert workshop.handle({"type": AGAIN, "id": done["id"]}, {"type": AGAIN, "id": str(uuid4())}) == []
    assert workshop.count("command") == 1
