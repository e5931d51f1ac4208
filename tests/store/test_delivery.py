"""Inbox, outbox and parked commands."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from messages.ids import uuid7
from store import inbox, outbox, sequences
from store.errors import Raced
from store.transaction import Engine, transaction

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = ("tests", "k")


def ended(ident: UUID, *, replyto: str | None = "r", result: bytes = b"{}") -> inbox.Row:
    return inbox.Row(ident, "s", "t", b"f", "OK", replyto, result)


def parked(ident: UUID, number: int, **fields: Any) -> dict[str, Any]:
    row = {"id": ident, "source": "tests", "partitionkey": "k", "sequence": number, "parked": NOON}
    return {**row, "envelope": {"id": str(ident)}, "fingerprint": "\\x70", **fields}


def test_the_inbox_knows_what_has_ended_and_what_waits(engine: Engine) -> None:
    done, waiting, nobody = uuid4(), uuid4(), uuid4()
    with transaction(engine) as connection:
        inbox.insert(connection, [ended(done)], NOON)
        sequences.park(connection, [parked(waiting, 2)])
        known = inbox.known(inbox.ask_known(connection, [done, waiting, nobody]))
    assert known.ended == {done: (b"f", "{}")}
    assert known.parked == {waiting: b"p"}


def test_an_id_ends_once(engine: Engine) -> None:
    ident = uuid4()
    with transaction(engine) as connection:
        inbox.insert(connection, [ended(ident)], NOON)
    with pytest.raises(Raced), transaction(engine) as connection:
        inbox.insert(connection, [ended(ident)], NOON)


def test_results_that_may_not_have_left_are_found_in_the_order_of_their_commands(engine: Engine) -> None:
    idents = [uuid4() for _ in range(6)]
    with transaction(engine) as connection:
        rows = [ended(ident, result=b"%d" % number) for number, ident in enumerate(idents)]
        inbox.insert(connection, [*rows[::-1], ended(uuid4(), replyto=None)], NOON)
        notes = [uuid7(), uuid7()]
        for note, mine in zip(notes, (idents[:3], idents[3:]), strict=True):
            outbox.note_results(connection, note, mine, NOON)
        assert sorted(text for _, text in outbox.results_of(connection, notes)) == list("012345")
        assert [text for _, text in outbox.results_of(connection, notes[1:])] == list("345")
        outbox.forget_results(connection, notes[:1])
        assert outbox.old_results(connection, NOON + timedelta(seconds=1), 10) == notes[1:]


def test_the_outbox_gives_back_what_was_put_in_until_it_is_marked(engine: Engine) -> None:
    with transaction(engine) as connection:
        for number in range(5):
            outbox.insert(connection, [("events", json.dumps({"n": number}).encode())], NOON)
        waiting = outbox.waiting(connection, 3)
        assert [json.loads(text)["n"] for row in waiting for _, text in row.entries] == [0, 1, 2]
        outbox.mark_published(connection, [waiting[0].id, waiting[2].id], NOON)
        left = outbox.waiting(connection, 10)
    assert [json.loads(text)["n"] for row in left for _, text in row.entries] == [1, 3, 4]


def test_one_session_is_the_relay_until_it_ends(engine: Engine) -> None:
    with engine.connect() as first, engine.connect() as second:
        assert outbox.become_the_relay(first)
        assert not outbox.become_the_relay(second)
        first.invalidate()
        # The server sees the end of a connection a moment later.
        give_up_at = time.monotonic() + 10
        while not outbox.become_the_relay(second):
            assert time.monotonic() < give_up_at


def test_a_turn_is_parked_once_and_positions_move(engine: Engine) -> None:
    with transaction(engine) as connection:
        assert sequences.lock(connection, [KEY], NOON) == {KEY: 1}
        sequences.park(connection, [parked(uuid4(), 3), parked(uuid4(), 2)])
        sequences.move(connection, {KEY: 7}, NOON)
    with transaction(engine) as connection:
        assert sequences.lock(connection, [KEY, ("other", "k")], NOON) == {KEY: 7, ("other", "k"): 1}
        assert [each.sequence for each in sequences.parked(connection, [KEY])] == [2, 3]
    with pytest.raises(Raced), transaction(engine) as connection:
        sequences.park(connection, [parked(uuid4(), 3)])


REFUSED = {
    "a slot without a holder": "INSERT INTO concurrency_slot (id, limit_id, holder_kind, slots, acquired_at) "
    "SELECT gen_random_uuid(), id, 'lease', 1, now() FROM concurrency_limit",
    "a slot with two holders": "INSERT INTO concurrency_slot (id, limit_id, holder_kind, slots, acquired_at, lease_id, "
    "flow_run_id) SELECT gen_random_uuid(), l.id, 'lease', 1, now(), gen_random_uuid(), r.id "
    "FROM concurrency_limit l, flow_run r",
    "no slots": "INSERT INTO concurrency_slot (id, limit_id, holder_kind, slots, acquired_at, lease_id) "
    "SELECT gen_random_uuid(), id, 'lease', 0, now(), gen_random_uuid() FROM concurrency_limit",
    "a negative limit": 'UPDATE concurrency_limit SET "limit" = -1',
    "a state of no known type": "UPDATE flow_run SET state_type = 'SLEEPING', state_name = 'x'",
    "a type without a name": "UPDATE flow_run SET state_type = 'PENDING'",
    "an empty idempotency key": "UPDATE flow_run SET idempotency_key = ''",
    "a negative version": "UPDATE flow_run SET version = -1",
    "a position before the first": "INSERT INTO sequence_position VALUES ('s', 'k', 0, now())",
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_database_itself_refuses(database_url: str, what: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO flow VALUES (gen_random_uuid(), now(), now(), 'f')")
        connection.execute(
            "INSERT INTO flow_run (id, created, updated, name, flow_id) "
            "SELECT gen_random_uuid(), now(), now(), 'r', id FROM flow"
        )
        connection.execute(
            'INSERT INTO concurrency_limit (id, created, updated, name, "limit") '
            "VALUES (gen_random_uuid(), now(), now(), 'l', 1)"
        )
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(REFUSED[what])
