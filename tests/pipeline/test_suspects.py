"""Commands of messages with which workers died: each is tried alone, counted before; only the guilty one suffers."""

from collections.abc import Iterator
from typing import Any

import pytest

from messages.results import Outcome
from tests.pipeline.workshop import Workshop, batch, command
from workers.handlers import table
from workers.handlers.catalog import upsert_flow
from workers.world.world import World


class Died(BaseException):
    """Stands for the end of the process: nothing after it is done."""


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Whoever applies a flow named deadly dies of it; answers the names that were applied, in their order."""
    applied: list[str] = []

    def upsert(world: World, data: Any) -> Outcome:
        applied.append(data.name)
        if data.name == "deadly":
            raise Died
        return upsert_flow(world, data)

    monkeypatch.setitem(table.HANDLERS, "flow.upsert", upsert)
    return applied  # type: ignore[return-value]


def upsert(name: str, **attributes: Any) -> dict[str, Any]:
    return command("flow.upsert", {"name": name}, **attributes)


def numbered(*names: str) -> list[dict[str, Any]]:
    return [upsert(name, partitionkey="k", sequence=str(n)) for n, name in enumerate(names, 1)]


def attempts(workshop: Workshop) -> dict[str, int]:
    rows = workshop.rows("SELECT envelope, attempts FROM attempt")
    return {row["envelope"]["data"]["name"]: row["attempts"] for row in rows}


def until_none_is_due(workshop: Workshop) -> list[dict[str, Any]]:
    """One worker after the other dies of what it tries."""
    told = []
    while True:
        try:
            told += workshop.try_again(even_early=False)
        except Died:
            continue
        return told


def test_one_death_proves_nothing(workshop: Workshop, deadly: list[str]) -> None:
    assert len(workshop.handle_suspects(upsert("a"), upsert("b"), deaths=1)) == 2
    assert workshop.count("attempt") == 0


def test_nothing_is_applied_when_suspects_are_set_apart(workshop: Workshop, deadly: list[str]) -> None:
    assert workshop.handle_suspects(upsert("a"), upsert("deadly"), upsert("b")) == []
    assert attempts(workshop) == {"a": 0, "deadly": 0, "b": 0}
    assert deadly == []


def test_the_deadly_one_is_counted_alone_and_the_innocent_pass_at_their_first_try(
    workshop: Workshop, deadly: list[str]
) -> None:
    commands = [upsert(name) for name in ("a", "deadly", "b")]
    workshop.handle_suspects(batch(commands[0], commands[1]), commands[2])
    told = until_none_is_due(workshop)
    # What was published before a death is lost with the workshop's worker: the inbox has it.
    assert {row["status"] for row in workshop.rows("SELECT status FROM command")} == {"OK"}
    assert workshop.count("command") == 2
    assert attempts(workshop) == {"deadly": 2}
    assert deadly == ["a", "deadly", "deadly", "b"], "in the order of the batch"
    assert [each["causationid"] for each in told] == [commands[2]["id"]]


def test_it_is_given_up_after_the_last_attempt_without_being_tried_once_more(
    workshop: Workshop, deadly: list[str]
) -> None:
    bad = upsert("deadly")
    workshop.handle_suspects(bad)
    for number in (1, 2, 3):
        with pytest.raises(Died):
            workshop.try_again()
        assert attempts(workshop) == {"deadly": number}
    [told] = workshop.try_again()
    assert (told["causationid"], told["data"]["error"]["code"]) == (bad["id"], "internal")
    assert len(deadly) == 3
    [letter] = workshop.rows("SELECT command_id, attempts, reason FROM dead_letter")
    assert (str(letter["command_id"]), letter["attempts"]) == (bad["id"], 3)
    assert "died" in letter["reason"]
    assert [event["type"] for event in workshop.events()] == ["command.dead_lettered"]
    assert workshop.count("attempt") == 0


def test_it_is_left_alone_for_longer_after_each_death(workshop: Workshop, deadly: list[str]) -> None:
    workshop.handle_suspects(upsert("deadly"))
    waits = []
    for _ in range(3):
        with pytest.raises(Died):
            workshop.try_again()
        [row] = workshop.rows("SELECT extract(epoch FROM next_attempt_at - now()) AS wait FROM attempt")
        waits.append(float(row["wait"]))
    assert waits[0] <= 0 < waits[1] < 0.6 < waits[2] < 1.1


def test_commands_that_came_together_keep_their_order_if_one_death_is_nobodys_fault(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied: list[str] = []

    def upsert_and_be_killed(world: World, data: Any) -> Outcome:
        applied.append(data.name)
        if applied == ["a", "b"]:
            raise Died
        return upsert_flow(world, data)

    monkeypatch.setitem(table.HANDLERS, "flow.upsert", upsert_and_be_killed)
    workshop.handle_suspects(batch(*(upsert(name) for name in "abc")))
    until_none_is_due(workshop)
    assert applied == ["a", "b", "b", "c"]
    assert {row["status"] for row in workshop.rows("SELECT status FROM command")} == {"OK"}
    assert (workshop.count("command"), workshop.count("attempt")) == (3, 0)


def test_order_is_kept_among_suspects_and_the_one_after_the_deadly_one_waits_for_it(
    workshop: Workshop, deadly: list[str]
) -> None:
    commands = numbered("first", "deadly", "last")
    workshop.handle_suspects(*reversed(commands))
    until_none_is_due(workshop)
    assert deadly == ["first", "deadly", "deadly"]
    assert workshop.count("parked_command") == 2
    with pytest.raises(Died):
        workshop.try_again()
    told = workshop.try_again()
    assert [each["causationid"] for each in told] == [commands[1]["id"], commands[2]["id"]]
    assert [each["data"]["status"] for each in told] == ["ERROR", "OK"]
    assert (workshop.count("parked_command"), workshop.count("attempt")) == (0, 0)


def test_a_deadly_follower_does_not_have_its_predecessor_counted(
    workshop: Workshop, deadly: list[str]
) -> None:
    first, bad = numbered("first", "deadly")
    assert workshop.handle(bad) == []
    with pytest.raises(Died):
        workshop.handle(first)
    assert workshop.handle_suspects(first) == []
    until_none_is_due(workshop)
    assert attempts(workshop) == {"deadly": 2}
    assert {row["name"] for row in workshop.rows("SELECT name FROM flow")} == {"first"}


def test_one_that_has_ended_meanwhile_is_answered_again_and_forgotten(
    workshop: Workshop, deadly: list[str]
) -> None:
    good = upsert("good")
    [first] = workshop.handle(good)
    [again] = workshop.handle_suspects(good)
    assert (again["id"], again["data"]["replayed"]) == (first["id"], True)
    assert workshop.count("attempt") == 0


def test_a_message_that_cannot_even_be_set_apart_is_a_dead_letter_in_the_end(
    workshop: Workshop, deadly: list[str]
) -> None:
    assert workshop.handle_suspects(upsert("good"), deaths=5) == []
    [letter] = workshop.rows("SELECT reason FROM dead_letter")
    assert letter["reason"] == "5 workers died while they had this message"
    assert deadly == []
