"""A command that fails for its own sake is set aside, alone, counted, and given up in the end."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from messages.results import Outcome
from store.engine import Timeouts, open_engine
from tests.pipeline.workshop import Workshop, body_of, command
from workers.handlers import table
from workers.handlers.catalog import upsert_flow
from workers.now import now
from workers.world.world import World

PICKY = """
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.name = 'refused' THEN RAISE EXCEPTION 'no' USING ERRCODE = '22000'; END IF;
  IF NEW.name = 'slow' THEN PERFORM pg_sleep(60); END IF;
  RETURN NEW; END $$;
CREATE TRIGGER look BEFORE INSERT ON flow FOR EACH ROW EXECUTE FUNCTION look()
"""


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


def test_copies_of_one_that_failed_wait_for_its_time_and_do_not_count(
    workshop: Workshop, poison: set[str]
) -> None:
    bad = upsert("poison")
    assert [workshop.handle(bad) for _ in range(5)] == 5 * [[]]
    assert [row["attempts"] for row in workshop.rows("SELECT attempts FROM attempt")] == [1]
    [thief] = workshop.handle({**bad, "data": {"name": "other"}})
    assert thief["data"]["error"]["code"] == "id_reused"


def test_its_next_attempt_is_later_each_time(workshop: Workshop, poison: set[str]) -> None:
    workshop.handle(upsert("poison"))
    waits = [_wait(workshop)]
    assert workshop.try_again(even_early=False) == [], "not before its time"
    assert [row["attempts"] for row in workshop.rows("SELECT attempts FROM attempt")] == [1]
    assert workshop.try_again() == []
    waits.append(_wait(workshop))
    assert 0 < waits[0] < 0.6
    assert 0.6 < waits[1] < 1.1


def _wait(workshop: Workshop) -> float:
    [row] = workshop.rows("SELECT extract(epoch FROM next_attempt_at - now()) AS wait FROM attempt")
    return float(row["wait"])


def test_after_the_last_attempt_it_is_a_dead_letter_and_its_sender_is_told(
    workshop: Workshop, poison: set[str]
) -> None:
    bad = upsert("poison", correlationid="c")
    assert [workshop.handle(bad), workshop.try_again()] == [[], []]
    [result] = workshop.try_again()
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
    [result] = workshop.try_again()
    assert (result["data"]["status"], result["data"]["replayed"]) == ("OK", False)
    assert workshop.count("attempt") == 0


def test_it_was_looked_at_in_time_so_it_can_expire_no_more_and_stays_the_same_command(
    workshop: Workshop, poison: set[str]
) -> None:
    bad = upsert("poison", expirytime=(now() + timedelta(seconds=0.3)).isoformat())
    workshop.handle(bad)
    poison.clear()
    while now() < datetime.fromisoformat(bad["expirytime"]):
        time.sleep(0.01)
    [result] = workshop.try_again()
    assert result["data"]["status"] == "OK"
    [again] = workshop.handle(bad)
    assert (again["id"], again["data"]["replayed"]) == (result["id"], True)


def test_given_up_it_takes_its_turn_and_its_followers_go_on(workshop: Workshop, poison: set[str]) -> None:
    bad = upsert("poison", partitionkey="k", sequence="1")
    good = upsert("good", partitionkey="k", sequence="2")
    assert [workshop.handle(bad, good), workshop.try_again()] == [[], []]
    assert workshop.handle(good) == [], "it waits for the one before it"
    told, followed = workshop.try_again()
    assert (told["causationid"], told["data"]["error"]["code"]) == (bad["id"], "internal")
    assert (followed["causationid"], followed["data"]["status"]) == (good["id"], "OK")
    assert (workshop.count("parked_command"), workshop.count("attempt")) == (0, 0)


def test_nobody_takes_the_turn_of_one_that_is_to_be_tried_again(workshop: Workshop, poison: set[str]) -> None:
    bad = upsert("poison", partitionkey="k", sequence="1")
    workshop.handle(bad)
    [told] = workshop.handle(upsert("thief", partitionkey="k", sequence="1"))
    assert told["data"]["error"]["code"] == "conflict"


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
    assert workshop.try_again() == workshop.try_again() == []
    [attempt] = workshop.rows("SELECT * FROM attempt")
    assert (str(attempt["command_id"]), attempt["attempts"]) == (bad["id"], 2)
    told, followed = workshop.try_again()
    assert (told["causationid"], told["data"]["error"]["code"]) == (bad["id"], "internal")
    assert (followed["causationid"], followed["data"]["status"]) == (last["id"], "OK")
    assert (workshop.count("parked_command"), workshop.count("attempt")) == (0, 0)
    assert [str(row["command_id"]) for row in workshop.rows("SELECT command_id FROM dead_letter")] == [
        bad["id"]
    ]


def test_a_follower_that_recovers_is_applied_when_it_is_tried_again(
    workshop: Workshop, poison: set[str]
) -> None:
    first, bad = (
        upsert(name, partitionkey="k", sequence=str(n)) for n, name in ((1, "first"), (2, "poison"))
    )
    workshop.handle(bad)
    workshop.handle(first)
    poison.clear()
    [result] = workshop.try_again()
    assert (result["causationid"], result["data"]["status"]) == (bad["id"], "OK")
    assert workshop.count("parked_command") == 0


@pytest.fixture
def picky_database(workshop: Workshop) -> None:
    """Flows named refused are refused by the database, those named slow take longer than a statement may."""
    with psycopg.connect(workshop.database_url) as connection:
        connection.execute(PICKY)


def test_a_follower_that_the_database_refuses_is_to_blame_itself(
    workshop: Workshop, picky_database: None
) -> None:
    first, bad, last = (
        upsert(name, partitionkey="k", sequence=str(number))
        for number, name in enumerate(("first", "refused", "last"), 1)
    )
    assert workshop.handle(last, bad) == []
    [result] = workshop.handle(first)
    assert (result["causationid"], result["data"]["status"]) == (first["id"], "OK")
    assert workshop.try_again() == workshop.try_again() == []
    told, followed = workshop.try_again()
    assert (told["causationid"], told["data"]["error"]["code"]) == (bad["id"], "internal")
    assert (followed["causationid"], followed["data"]["status"]) == (last["id"], "OK")


@pytest.fixture
def impatient(database_url: str) -> Iterator[Workshop]:
    """No statement may take longer than 300 ms."""
    engine = open_engine(database_url, pool_size=4, timeouts=Timeouts(statement_ms=300, lock_ms=5_000))
    yield Workshop(engine, database_url)
    engine.dispose()


def test_a_statement_that_takes_too_long_counts_as_an_attempt_of_its_command_alone(
    impatient: Workshop, picky_database: None
) -> None:
    workshop = impatient
    slow, good = upsert("slow"), upsert("good")
    [result] = workshop.handle(slow, good)
    assert (result["causationid"], result["data"]["status"]) == (good["id"], "OK")
    [attempt] = workshop.rows("SELECT * FROM attempt")
    assert (str(attempt["command_id"]), attempt["attempts"]) == (slow["id"], 1)
    assert "statement timeout" in attempt["last_error"]
    assert workshop.try_again() == []
    [told] = workshop.try_again()
    assert (told["causationid"], told["data"]["error"]["code"]) == (slow["id"], "internal")


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
