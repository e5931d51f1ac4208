"""One command, or commands for the same turn, in several workers at once."""

import random
from uuid import uuid4

import pytest

from tests.pipeline.workshop import Envelope, Workshop, command
from tests.races.conftest import Race


def test_one_id_in_two_workers_is_applied_once_and_answered_by_both(workshop: Workshop, race: Race) -> None:
    create = command("flow_run.create", {"flow_name": "f"})
    [first], [second] = race([create], [create])
    assert sorted([first["data"]["replayed"], second["data"]["replayed"]]) == [False, True]
    assert first["id"] == second["id"]
    assert first["data"]["flow_run"] == second["data"]["flow_run"]
    assert (workshop.count("flow_run"), workshop.count("command"), len(workshop.events())) == (1, 1, 1)


def test_one_batch_in_four_workers_is_applied_once(workshop: Workshop, race: Race) -> None:
    run = str(uuid4())
    life = [
        command("flow_run.create", {"id": run, "flow_name": "f"}),
        *(
            command("flow_run.set_state", {"flow_run_id": run, "state": {"type": state}})
            for state in ("PENDING", "RUNNING", "COMPLETED")
        ),
    ]
    fetched = race(life, life, life, life)
    for results in fetched:
        assert [result["data"]["status"] for result in results] == ["OK", "ACCEPT", "ACCEPT", "ACCEPT"]
    marks = [result["data"]["replayed"] for results in fetched for result in results]
    assert marks.count(False) == 4
    assert [event["sequence"] for event in workshop.events()] == ["1", "2", "3", "4"]


def test_one_id_with_two_contents_is_applied_once_and_refused_once(workshop: Workshop, race: Race) -> None:
    ident = str(uuid4())
    [first], [second] = race(
        [command("flow.upsert", {"name": "a"}, id=ident)], [command("flow.upsert", {"name": "b"}, id=ident)]
    )
    assert sorted([first["data"]["status"], second["data"]["status"]]) == ["ERROR", "OK"]
    refused = first if first["data"]["status"] == "ERROR" else second
    assert refused["data"]["error"]["code"] == "id_reused"
    assert workshop.count("flow") == 1


def numbered(key: str, length: int) -> list[Envelope]:
    run = str(uuid4())
    commands = [command("flow_run.create", {"id": run, "flow_name": "f"})]
    commands += [
        command("flow_run.update", {"flow_run_id": run, "parameters": {"n": number}})
        for number in range(2, length + 1)
    ]
    return [{**each, "partitionkey": key, "sequence": str(number)} for number, each in enumerate(commands, 1)]


@pytest.mark.parametrize("seed", range(4))
def test_the_turns_of_one_key_are_kept_by_workers_that_have_them_out_of_order(
    workshop: Workshop, race: Race, seed: int
) -> None:
    commands = numbered("k", 30)
    shuffled = random.Random(seed).sample(commands, len(commands))
    fetched = race(*(shuffled[first::5] for first in range(5)))
    answered = {result["causationid"]: result["data"]["status"] for results in fetched for result in results}
    assert answered == {each["id"]: "OK" for each in commands}
    assert [event["causationid"] for event in workshop.events()] == [each["id"] for each in commands]
    assert workshop.count("parked_command") == 0
    [position] = workshop.rows("SELECT next FROM sequence_position")
    assert position["next"] == 31


def test_copies_of_commands_that_wait_for_their_turn_are_parked_once(workshop: Workshop, race: Race) -> None:
    first, *others = numbered("k", 6)
    assert race(others, others, others[::-1]) == [[], [], []]
    assert workshop.count("parked_command") == 5
    results = workshop.handle(first)
    assert [result["causationid"] for result in results] == [each["id"] for each in (first, *others)]


def test_the_missing_command_in_two_workers_brings_its_followers_once(workshop: Workshop, race: Race) -> None:
    first, *others = numbered("k", 6)
    workshop.handle(*others)
    fetched = race([first], [first])
    assert sorted(len(results) for results in fetched) == [1, 6]
    assert len(workshop.events()) == 6


def test_two_commands_for_one_turn_one_goes_and_one_is_told(workshop: Workshop, race: Race) -> None:
    rivals = [command("flow.upsert", {"name": str(n)}, partitionkey="k", sequence="1") for n in range(2)]
    fetched = race(*([rival] for rival in rivals))
    statuses = sorted(results[0]["data"]["status"] for results in fetched)
    assert statuses == ["ERROR", "OK"]
    assert workshop.count("flow") == 1
