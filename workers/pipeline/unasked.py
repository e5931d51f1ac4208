"""What happens without a command having asked for it: the same rules, the same locks, the same outbox."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from messages.fields import Id
from messages.results import Outcome
from store import inbox, outbox
from store.transaction import Connection, Engine, transaction
from workers.pipeline.apply import Reply
from workers.pipeline.command import Command
from workers.pipeline.deliveries import entries_of, inbox_row
from workers.pipeline.envelopes import result_of
from workers.pipeline.gather import gather
from workers.pipeline.needs import Needs
from workers.pipeline.save import save
from workers.world.world import World

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """Results of commands that were ended, and the note in the database that they may not have left."""

    replies: list[Reply]
    note: Id | None


def change(engine: Engine, world: World, needs: Needs, work: Callable[[World], None]) -> int:
    """Locks and loads what is needed, changes it, and puts what happened into the outbox; answers how many
    events that were.

    Raises:
        StoreError: nothing was committed, or it is not known: what is still due is found again.
    """
    now = world.clock()
    with transaction(engine) as connection:
        gather(connection, world, needs)
        work(world)
        save(connection, world)
        entries = (entry for event in world.events for entry in entries_of(event, None, world, now))
        return outbox.insert(connection, entries, now)


def each_alone(world: World, items: Iterable[T], work: Callable[[World, T], None]) -> None:
    """Does the work on each item; one on which it fails stays as it is, and keeps nobody else from theirs."""
    for item in items:
        try:
            with world.all_or_nothing():
                work(world, item)
        # Whatever it is about this one: it must not keep the others from theirs.
        except Exception:
            log.exception("this one is left as it is", extra={"id": getattr(item, "id", None)})


def end(
    connection: Connection, world: World, ended: Iterable[tuple[Command, Outcome]], now: datetime
) -> Told:
    """Commands end in this transaction without having been applied: their results are kept, and to be told."""
    rows: list[inbox.Row] = []
    replies: list[Reply] = []
    for command, outcome in ended:
        envelope = result_of(command, outcome, world.new_id(), now)
        rows.append(inbox_row(command, outcome, envelope))
        if command.replyto is not None:
            replies.append(Reply(command.replyto, envelope))
    if rows:
        inbox.insert(connection, rows, now)
    ids = [row.id for row in rows if row.replyto is not None]
    if not ids:
        return Told(replies, None)
    note = world.new_id()
    outbox.note_results(connection, note, ids, now)
    return Told(replies, note)
