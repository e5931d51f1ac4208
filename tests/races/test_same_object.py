"""Different commands about the same object, in several workers at once: one winner, and nobody is stuck."""

import random
from uuid import uuid4

import pytest

from tests.pipeline.workshop import Envelope, Workshop, command
from tests.races.conftest import Race


def the(result: Envelope, what: str) -> str:
    """The id of the object in a result."""
    return str(result["data"][what]["id"])


def new_runs(workshop: Workshop, number: int, **data: object) -> list[str]:
    """The ids of new flow runs."""
    commands = [command("flow_run.create", {"flow_name": "f", **data}) for _ in range(number)]
    return [the(result, "flow_run") for result in workshop.handle(*commands)]


def set_state(run: str, state: str, **data: object) -> Envelope:
    return command("flow_run.set_state", {"flow_run_id": run, "state": {"type": state}, **data})


def statuses(fetched: list[list[Envelope]]) -> list[str]:
    return sorted(result["data"]["status"] for results in fetched for result in results)


def test_one_idempotency_key_makes_one_run(workshop: Workshop, race: Race) -> None:
    data = {"flow_name": "f", "idempotency_key": "k"}
    fetched = race(*([command("flow_run.create", data)] for _ in range(4)))
    results = [results[0] for results in fetched]
    assert sorted(result["data"]["created"] for result in results) == [False, False, False, True]
    assert len({the(result, "flow_run") for result in results}) == 1
    assert workshop.count("flow_run") == 1


def test_one_pair_of_task_keys_makes_one_task_run(workshop: Workshop, race: Race) -> None:
    [run] = new_runs(workshop, 1)
    for flow_run_id in (run, None):
        data = {"flow_run_id": flow_run_id, "task_key": "t", "dynamic_key": "0", "state": {"type": "PENDING"}}
        fetched = race(*([command("task_run.create", data)] for _ in range(4)))
        results = [results[0] for results in fetched]
        assert sorted(result["data"]["created"] for result in results) == [False, False, False, True]
        assert len({the(result, "task_run") for result in results}) == 1
    assert workshop.count("task_run") == 2


@pytest.mark.parametrize(
    ("kind", "data", "what"),
    [
        ("flow.upsert", {"name": "x"}, "flow"),
        ("work_pool.upsert", {"name": "x"}, "work_pool"),
        ("concurrency_limit.upsert", {"name": "x", "limit": 1}, "concurrency_limit"),
        ("deployment.upsert", {"name": "x", "flow_name": "new", "concurrency_limit": 2}, "deployment"),
    ],
)
def test_one_name_is_made_once(
    workshop: Workshop, race: Race, kind: str, data: dict[str, object], what: str
) -> None:
    fetched = race(*([command(kind, data)] for _ in range(4)))
    assert sorted(results[0]["data"]["created"] for results in fetched) == [False, False, False, True]
    assert len({the(results[0], what) for results in fetched}) == 1
    assert workshop.count(what) == 1


def test_runs_that_name_a_new_flow_make_it_once(workshop: Workshop, race: Race) -> None:
    fetched = race(*([command("flow_run.create", {"flow_name": "new"}) for _ in range(5)] for _ in range(4)))
    assert statuses(fetched) == 20 * ["OK"]
    assert (workshop.count("flow"), workshop.count("flow_run")) == (1, 20)


def test_one_slot_of_a_deployment_has_one_holder_however_many_propose(workshop: Workshop, race: Race) -> None:
    limited = {"name": "d", "flow_name": "f", "concurrency_limit": 1}
    deployment = the(workshop.handle(command("deployment.upsert", limited))[0], "deployment")
    runs = new_runs(workshop, 8, deployment_id=deployment)
    fetched = race(*([set_state(run, "PENDING")] for run in runs))
    assert statuses(fetched) == ["ACCEPT", *(7 * ["REJECT"])]
    assert workshop.count("concurrency_slot") == 1
    [holder] = workshop.rows("SELECT flow_run_id AS run FROM concurrency_slot")
    [pending] = workshop.rows("SELECT id FROM flow_run WHERE state_type = 'PENDING'")
    assert holder["run"] == pending["id"]


def test_one_slot_of_a_tag_has_one_holder_however_many_propose(workshop: Workshop, race: Race) -> None:
    [run] = new_runs(workshop, 1, state={"type": "RUNNING"})
    workshop.handle(*(command("concurrency_limit.upsert", {"name": f"tag:{t}", "limit": 1}) for t in "ab"))
    keys = {"flow_run_id": run, "task_key": "t"}
    tasks = [
        command("task_run.create", {**keys, "dynamic_key": str(number), "tags": random.sample("ab", 2)})
        for number in range(8)
    ]
    ids = [the(result, "task_run") for result in workshop.handle(*tasks)]
    fetched = race(
        *(
            [command("task_run.set_state", {"task_run_id": each, "state": {"type": "RUNNING"}})]
            for each in ids
        )
    )
    assert statuses(fetched) == ["ACCEPT", *(7 * ["WAIT"])]
    assert workshop.count("concurrency_slot") == 2


def test_a_limit_is_never_leased_beyond_its_slots(workshop: Workshop, race: Race) -> None:
    workshop.handle(command("concurrency_limit.upsert", {"name": "l", "limit": 3}))
    acquire = {"names": ["l"], "slots": 1}
    fetched = race(*([command("concurrency_limit.acquire", acquire)] for _ in range(8)))
    assert statuses(fetched) == [*(3 * ["OK"]), *(5 * ["WAIT"])]
    assert workshop.count("concurrency_slot") == 3


def test_a_lease_given_back_twice_at_once_frees_its_slots_once(workshop: Workshop, race: Race) -> None:
    workshop.handle(command("concurrency_limit.upsert", {"name": "l", "limit": 3}))
    acquire = command("concurrency_limit.acquire", {"names": ["l"], "slots": 1})
    [mine, _] = workshop.handle(acquire, {**acquire, "id": str(uuid4())})
    release = {"lease_id": mine["data"]["lease"]["lease_id"]}
    fetched = race(*([command("concurrency_limit.release", release)] for _ in range(4)))
    assert sorted(results[0]["data"]["released"] for results in fetched) == [False, False, False, True]
    assert workshop.count("concurrency_slot") == 1


@pytest.mark.parametrize("seed", range(3))
def test_batches_in_opposite_orders_all_end(workshop: Workshop, race: Race, seed: int) -> None:
    dice = random.Random(seed)
    runs = new_runs(workshop, 40, state={"type": "PENDING"})
    workshop.handle(*(command("flow.upsert", {"name": f"f-{n}"}) for n in range(20)))

    def everything() -> list[Envelope]:
        commands = [set_state(run, "RUNNING", force=True) for run in runs]
        commands += [command("flow.upsert", {"name": f"f-{n}", "tags": [str(n)]}) for n in range(20)]
        commands += [command("flow.upsert", {"name": f"new-{n}"}) for n in range(10)]
        dice.shuffle(commands)
        return commands

    fetched = race(*(everything() for _ in range(4)))
    assert statuses(fetched) == sorted(4 * (40 * ["ACCEPT"] + 30 * ["OK"]))
    assert {row["version"] for row in workshop.rows("SELECT version FROM flow_run")} == {6}
    assert workshop.count("attempt") == 0


def test_labels_that_two_workers_merge_are_both_there(workshop: Workshop, race: Race) -> None:
    [run] = new_runs(workshop, 1, labels={"before": True})
    race(*([command("flow_run.set_labels", {"flow_run_id": run, "labels": {f"l{n}": n}})] for n in range(6)))
    [row] = workshop.rows("SELECT labels, version FROM flow_run")
    assert row["labels"] == {"before": True, **{f"l{n}": n for n in range(6)}}
    assert row["version"] == 7


def test_one_version_admits_one_change(workshop: Workshop, race: Race) -> None:
    [run] = new_runs(workshop, 1)
    fetched = race(*([set_state(run, "PENDING", if_version=1)] for _ in range(4)))
    assert statuses(fetched) == ["ACCEPT", *(3 * ["ERROR"])]


def test_a_run_that_is_deleted_while_it_moves_is_gone_and_its_last_event_says_so(
    workshop: Workshop, race: Race
) -> None:
    for run in new_runs(workshop, 6):
        task = command("task_run.create", {"flow_run_id": run, "task_key": "t", "dynamic_key": "0"})
        race([set_state(run, "PENDING")], [command("flow_run.delete", {"flow_run_id": run})], [task])
        told = [event for event in workshop.events() if event["subject"] == run]
        assert told[-1]["type"] == "flow_run.deleted"
        assert [int(event["sequence"]) for event in told] == list(range(1, len(told) + 1))
    assert (workshop.count("flow_run"), workshop.count("task_run"), workshop.count("attempt")) == (0, 0, 0)


def test_states_of_one_run_by_many_workers_make_one_unbroken_history(workshop: Workshop, race: Race) -> None:
    [run] = new_runs(workshop, 1)
    race(*([set_state(run, "RUNNING", force=True) for _ in range(5)] for _ in range(6)))
    moves = [event["data"] for event in workshop.events()[1:]]
    assert len(moves) == 30
    before = None
    for move in moves:
        assert (move["initial_state"] or {}).get("id") == before
        before = move["validated_state"]["id"]
    [row] = workshop.rows("SELECT version, state_id FROM flow_run")
    assert (row["version"], str(row["state_id"])) == (31, before)
