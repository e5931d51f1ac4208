"""`on_wait: defer`: a command that the rules told to wait is tried again until it ends otherwise or expires."""

import time
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest

from messages.results import Outcome
from store.reads.commands import deferred_of_runs, is_waiting
from store.reads.figures import waiting
from store.transaction import session
from tests.crashes.processes import until
from tests.pipeline.workshop import Envelope, Published, Workshop, batch, command
from workers.handlers import table
from workers.handlers.catalog import upsert_flow
from workers.now import now
from workers.world.world import World


class Tag:
    """A limit of one slot, task runs that want it, and one that has it."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        workshop.handle(command("concurrency_limit.upsert", {"name": "tag:t", "limit": 1}))
        self.holder = self.task_run()
        [answer] = workshop.handle(self.run(self.holder))
        assert answer["data"]["status"] == "ACCEPT"

    def task_run(self) -> str:
        ident = str(uuid4())
        data = {"id": ident, "task_key": "t", "dynamic_key": ident, "tags": ["t"]}
        [made] = self.workshop.handle(command("task_run.create", data))
        assert made["data"]["status"] == "OK"
        return ident

    def run(self, task_run: str, on_wait: str | None = None, **more: Any) -> Envelope:
        return self.to("RUNNING", task_run, on_wait, **more)

    def to(self, state: str, task_run: str, on_wait: str | None = None, **more: Any) -> Envelope:
        data = {"task_run_id": task_run, "state": {"type": state}}
        return command("task_run.set_state", data | ({"on_wait": on_wait} if on_wait else {}), **more)

    def free(self) -> None:
        [answer] = self.workshop.handle(self.to("COMPLETED", self.holder))
        assert answer["data"]["status"] == "ACCEPT"


@pytest.fixture
def tag(workshop: Workshop) -> Tag:
    """A tag whose only slot is taken."""
    return Tag(workshop)


def test_without_it_the_sender_is_told_to_wait(workshop: Workshop, tag: Tag) -> None:
    [told] = workshop.handle(tag.run(tag.task_run()))
    assert (told["data"]["status"], told["data"]["details"]["delay_seconds"]) == ("WAIT", 30)
    assert workshop.count("attempt") == 0


def test_nothing_is_published_until_it_ends_otherwise(workshop: Workshop, tag: Tag) -> None:
    deferred = tag.run(tag.task_run(), "defer")
    events = workshop.events()
    assert [workshop.handle(deferred), workshop.try_again(), workshop.try_again()] == [[], [], []]
    assert workshop.events() == events
    tag.free()
    [told] = workshop.try_again()
    assert (told["causationid"], told["data"]["status"]) == (deferred["id"], "ACCEPT")
    assert told["data"]["replayed"] is False
    assert workshop.count("attempt") == 0
    [again] = workshop.handle(deferred)
    assert (again["id"], again["data"]["replayed"]) == (told["id"], True)


def test_it_is_tried_again_when_its_delay_is_over_and_not_before(workshop: Workshop, tag: Tag) -> None:
    workshop.handle(tag.run(tag.task_run(), "defer"))
    [row] = workshop.rows("SELECT extract(epoch FROM next_attempt_at - now()) AS wait, * FROM attempt")
    assert 25 < row["wait"] < 31
    assert (row["waits"], row["attempts"], row["in_hand"]) == (1, 0, False)
    tag.free()
    assert workshop.try_again(even_early=False) == []


def test_a_repeat_meanwhile_is_neither_applied_nor_answered(workshop: Workshop, tag: Tag) -> None:
    deferred = tag.run(tag.task_run(), "defer")
    workshop.handle(deferred)
    tag.free()
    assert workshop.handle(deferred, deferred) == []
    [thief] = workshop.handle({**deferred, "data": {**deferred["data"], "force": True}})
    assert thief["data"]["error"]["code"] == "id_reused"
    assert [told["data"]["status"] for told in workshop.try_again()] == ["ACCEPT"]


def test_copies_in_one_batch_are_one_command(workshop: Workshop, tag: Tag) -> None:
    deferred = tag.run(tag.task_run(), "defer")
    other = {**deferred, "data": {**deferred["data"], "force": True}}
    [told] = workshop.handle(deferred, deferred, other)
    assert told["data"]["error"]["code"] == "id_reused"
    assert workshop.count("attempt") == 1


def test_it_ends_as_expired_when_its_time_has_passed(workshop: Workshop, tag: Tag) -> None:
    moment = now() + timedelta(seconds=0.4)
    deferred = tag.run(tag.task_run(), "defer", expirytime=moment.isoformat())
    workshop.handle(deferred)
    [row] = workshop.rows("SELECT next_attempt_at FROM attempt")
    assert row["next_attempt_at"] == moment, "it is not kept longer than it wants to live"
    while now() < moment:
        time.sleep(0.01)
    tag.free()
    [told] = workshop.try_again(even_early=False)
    assert told["data"]["error"]["code"] == "expired"
    assert (workshop.count("attempt"), workshop.count("dead_letter")) == (0, 0)


def test_it_ends_as_error_when_its_run_has_moved_on_or_is_gone(workshop: Workshop, tag: Tag) -> None:
    moved, gone = tag.task_run(), tag.task_run()
    first = tag.run(moved, "defer")
    first["data"]["if_version"] = 1
    second = tag.run(gone, "defer")
    assert workshop.handle(first, second) == []
    workshop.handle(tag.to("PENDING", moved), command("task_run.delete", {"task_run_id": gone}))
    told = {each["causationid"]: each["data"]["error"]["code"] for each in workshop.try_again()}
    assert told == {first["id"]: "version_mismatch", second["id"]: "not_found"}


def test_each_command_of_a_batch_waits_for_itself(workshop: Workshop, tag: Tag) -> None:
    waiting, free = tag.task_run(), tag.task_run()
    inner = [tag.run(waiting, "defer"), tag.to("PENDING", free), tag.run(waiting), tag.run(free, "defer")]
    told = workshop.handle(batch(*inner))
    assert [(each["causationid"], each["data"]["status"]) for each in told] == [
        (inner[1]["id"], "ACCEPT"),
        (inner[2]["id"], "WAIT"),
    ]
    assert workshop.count("attempt") == 2


def ordered(key: str, *commands: Envelope) -> list[Envelope]:
    return [{**each, "partitionkey": key, "sequence": str(number)} for number, each in enumerate(commands, 1)]


@pytest.mark.parametrize("together", [True, False])
def test_it_keeps_its_turn_and_those_after_it_wait_with_it(
    workshop: Workshop, tag: Tag, together: bool
) -> None:
    run, other = tag.task_run(), tag.task_run()
    commands = ordered(
        "k", tag.to("PENDING", run), tag.run(run, "defer"), tag.to("COMPLETED", run), tag.to("PENDING", other)
    )
    told = workshop.handle(*commands) if together else [it for c in commands for it in workshop.handle(c)]
    assert [each["causationid"] for each in told] == [commands[0]["id"]]
    assert workshop.count("parked_command") == 3
    assert workshop.handle(*commands[1:]) == workshop.try_again() == []
    [thief] = workshop.handle({**commands[1], "id": str(uuid4())})
    assert thief["data"]["error"]["code"] == "conflict"
    tag.free()
    told = workshop.try_again()
    assert [each["causationid"] for each in told] == [each["id"] for each in commands[1:]]
    assert {each["data"]["status"] for each in told} == {"ACCEPT"}
    assert (workshop.count("parked_command"), workshop.count("attempt")) == (0, 0)


def test_one_that_was_parked_and_is_deferred_when_its_turn_comes_keeps_it(
    workshop: Workshop, tag: Tag
) -> None:
    run = tag.task_run()
    commands = ordered("k", tag.to("PENDING", run), tag.run(run, "defer"), tag.to("COMPLETED", run))
    assert workshop.handle(*commands[1:]) == []
    assert len(workshop.handle(commands[0])) == 1
    assert (workshop.count("parked_command"), workshop.count("attempt")) == (2, 1)
    tag.free()
    assert [each["causationid"] for each in workshop.try_again()] == [each["id"] for each in commands[1:]]


def test_what_a_dead_worker_had_claimed_is_tried_by_another_and_counts_as_an_attempt(
    workshop: Workshop, tag: Tag
) -> None:
    deferred = tag.run(tag.task_run(), "defer")
    workshop.handle(deferred)
    workshop.rows("UPDATE attempt SET in_hand = true RETURNING 1")
    assert workshop.try_again() == []
    [row] = workshop.rows("SELECT attempts, waits, in_hand, last_error FROM attempt")
    assert row == {"attempts": 0, "waits": 2, "in_hand": False, "last_error": None}, "it did no harm"
    tag.free()
    assert [each["data"]["status"] for each in workshop.try_again()] == ["ACCEPT"]


def test_who_waits_for_what_can_be_asked(workshop: Workshop, tag: Tag) -> None:
    run = tag.task_run()
    deferred = tag.run(run, "defer")
    workshop.handle(deferred)
    with session(workshop.engine) as connection:
        assert is_waiting(connection, UUID(deferred["id"]))
        [found] = deferred_of_runs(connection, [UUID(run)])
        assert deferred_of_runs(connection, [uuid4()]) == []
        backlog = waiting(connection)
    assert (str(found.command_id), found.type, str(found.run_id)) == (
        deferred["id"],
        "task_run.set_state",
        run,
    )
    assert (found.waits, found.reason) == (1, "no slot of tag 't' is free")
    assert found.since < found.next_try_at
    assert (backlog["deferred"].number, backlog["deferred"].oldest) == (1, found.since)
    assert backlog["attempt"].number == 0


def test_it_does_not_wait_for_one_that_is_tried_alone_and_takes_long(
    workshop: Workshop, tag: Tag, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = Event(), Event()

    def upsert(world: World, data: Any) -> Outcome:
        begun.set()
        assert go_on.wait(60)
        return upsert_flow(world, data)

    monkeypatch.setitem(table.HANDLERS, "flow.upsert", upsert)
    published, slow, deferred = (
        Published(),
        command("flow.upsert", {"name": "slow"}),
        tag.run(tag.task_run(), "defer"),
    )
    workshop.handle_suspects(slow)
    with workshop.retrying(published):
        assert begun.wait(60)
        workshop.handle(deferred)
        tag.free()
        workshop.make_due()
        until(lambda: published.replies_told, 60, what="the end of the deferred command")
        [(_, told)] = published.replies_told
        assert (told["causationid"], told["data"]["status"]) == (deferred["id"], "ACCEPT")
        go_on.set()
        until(lambda: len(published.replies_told) == 2, 60, what="the end of the slow command")
