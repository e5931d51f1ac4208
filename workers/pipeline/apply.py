"""A batch of commands becomes one transaction: claimed, ordered, locked, decided, saved, committed.

This is the whole shell in one place. What it does not do: read from Redis, write to Redis, try again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from messages.evolve import value
from messages.fields import Id
from store import dead_letters, inbox, outbox, sequences
from store.driver import Asked
from store.encoding import encode
from store.transaction import Connection, Engine, piped_transaction
from workers.pipeline.again import as_kept, readmitted
from workers.pipeline.command import Admitted, Command, Unreadable
from workers.pipeline.decide import UNWATCHED, Decided, Watch, decide
from workers.pipeline.deliveries import entries_of, inbox_row
from workers.pipeline.envelopes import refusal_of, result_of
from workers.pipeline.gather import ask_ahead, gather
from workers.pipeline.needs import needs_of
from workers.pipeline.order import Company, Turns, key_of, take_turns
from workers.pipeline.repeats import Ended, answers, reused
from workers.pipeline.save import save
from workers.pipeline.waiting import keep_on_trying
from workers.world.world import World

# Of a message that could not be read, so many bytes are kept.
LARGEST_KEPT = 16 * 1_048_576


@value()
class Reply:
    """A result on its way to whoever asked."""

    replyto: str
    envelope: bytes


@dataclass(slots=True)
class Applied:
    """What a committed batch leaves to be published."""

    replies: list[Reply] = field(default_factory=list)
    #: the note in the database that these replies are not known to have left; None if there are none to lose
    note: Id | None = None
    ended: dict[Id, Ended] = field(default_factory=dict)
    events: int = 0
    parked: int = 0
    #: how many commands came to (type, status), and how many had ended before
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    replayed: int = 0


@dataclass(slots=True)
class _Claimed:
    """A batch, divided by what the inbox knows."""

    fresh: list[Command] = field(default_factory=list)
    repeats: list[Command] = field(default_factory=list)
    #: what is known of ids from before, ended or parked
    known: dict[Id, Ended] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Applier:
    """Applies batches. `world` makes an empty world."""

    engine: Engine
    world: Callable[[], World]
    queue: str = "commands"
    watch: Watch = UNWATCHED

    def apply(self, admitted: Sequence[Admitted], company: Company = Company.TOGETHER) -> Applied:
        """Applies a batch in one transaction, or sets it apart.

        Raises:
            StoreError: nothing was committed, or it is not known (the inbox knows).
            Poisoned: one command of the batch made a handler fail; nothing was committed.
        """
        commands = [each for each in admitted if isinstance(each, Command)]
        unreadable = [each for each in admitted if isinstance(each, Unreadable)]
        with piped_transaction(self.engine) as connection:
            world = self.world()
            now = world.clock()
            asked = inbox.ask_known(connection, {command.id for command in commands})
            needs = needs_of(commands)
            # Who waits for a turn may bring others along: then it is not known yet what is needed.
            in_turn = any(command.partitionkey is not None for command in commands)
            ahead = None if in_turn else ask_ahead(connection, needs)
            claimed = _claim(asked, commands)
            turns = _order(connection, claimed.fresh, now, company)
            gather(connection, world, needs if turns.ready == commands else needs_of(turns.ready), ahead)
            decisions = decide(world, turns.ready, self.watch)
            turns.hold(decisions.held())
            decided = decisions.ended
            decided += [Decided(command, outcome, []) for command, outcome in turns.refused]
            save(connection, world)
            applied = self._deliver(connection, world, decided, turns, now)
            keep_on_trying(connection, commands, turns, decisions, now)
            self._bury(connection, [*unreadable, *(each.command for each in decided)], world, now)
        copies = (*claimed.repeats, *turns.repeats)
        applied.replayed = len(copies)
        applied.outcomes.update((each.type, each.outcome.status) for each in unreadable)
        waiting = (*turns.waiting, *turns.to_try_alone, *decisions.held())
        known = {command.id: Ended(command.fingerprint, None) for command in waiting} | claimed.known
        for replyto, envelope in answers(copies, known | applied.ended, world.new_id, now):
            applied.replies.append(Reply(replyto, envelope))
        for each in unreadable:
            if each.replyto is not None:
                applied.replies.append(Reply(each.replyto, refusal_of(each, world.new_id(), now)))
        return applied

    def _deliver(
        self, connection: Connection, world: World, decided: list[Decided], turns: Turns, now: datetime
    ) -> Applied:
        """Results into the inbox, events into the outbox, positions of sequences: the transaction's last words."""
        applied = Applied(parked=len(turns.to_park))
        applied.outcomes.update((each.command.type, each.outcome.status) for each in decided)
        rows, to_tell = [], []
        for each in decided:
            command, outcome = each.command, each.outcome
            envelope = result_of(command, outcome, world.new_id(), now)
            if command.keeps_id:
                applied.ended[command.id] = Ended(command.fingerprint, envelope)
                rows.append(inbox_row(command, outcome, envelope))
            if command.replyto is not None:
                applied.replies.append(Reply(command.replyto, envelope))
                if command.keeps_id:
                    to_tell.append(command.id)
        if rows:
            # In one order for everybody: two copies of a batch must not wait for each other.
            inbox.insert(connection, sorted(rows, key=lambda row: row.id.int), now)
        _move_turns(connection, turns, now)
        entries = (
            entry
            for each in decided
            for event in each.events
            for entry in entries_of(event, each.command, world, now)
        )
        applied.events = outbox.insert(connection, entries, now)
        if to_tell:
            applied.note = world.new_id()
            outbox.note_results(connection, applied.note, to_tell, now)
        return applied

    def _bury(
        self, connection: Connection, candidates: Iterable[Admitted], world: World, now: datetime
    ) -> None:
        """What could not be read, and what is given up, is kept as it came."""
        rows = [row for each in candidates if (row := _dead_letter(each)) is not None]
        if rows:
            common = {"created": now, "queue": self.queue}
            dead_letters.insert(connection, ({"id": world.new_id(), **common, **row} for row in rows))


def _dead_letter(each: Admitted) -> dict[str, Any] | None:
    if isinstance(each, Unreadable) and not each.is_kept:
        return None
    if isinstance(each, Unreadable):
        body = dead_letters.as_bytea(each.body[:LARGEST_KEPT])
        return {
            "reason": each.reason,
            "type": each.type or None,
            "source": each.source,
            "attempts": 0,
            "body": body,
        }
    if each.last_error is None:
        return None
    return {
        "reason": each.last_error,
        "command_id": each.id,
        "type": each.type,
        "source": each.source,
        "attempts": each.attempts,
        "body": dead_letters.as_bytea(encode(each.envelope)),
    }


def _claim(asked: Asked, commands: Sequence[Command]) -> _Claimed:
    """What may not use up its id is a repeat of what is known, or refused; never what others are repeats of."""
    claimed = _Claimed()
    by_id: dict[Id, Command] = {}
    too_old = [command for command in commands if not command.keeps_id]
    for command in commands:
        if not command.keeps_id:
            continue
        if command.id in by_id:
            claimed.repeats.append(command)
        else:
            by_id[command.id] = command
    known = inbox.known(asked)
    waiting = known.parked | known.tried
    claimed.known = {ident: Ended(mark, None) for ident, mark in waiting.items()}
    claimed.known |= {ident: Ended(mark, result) for ident, (mark, result) in known.ended.items()}
    for command in by_id.values():
        takes_part = _takes_part(command, known)
        (claimed.fresh if takes_part else claimed.repeats).append(command)
    for command in too_old:
        (claimed.fresh if command.id not in claimed.known else claimed.repeats).append(command)
    return claimed


def _takes_part(command: Command, known: inbox.Known) -> bool:
    """Whether this is the one to apply, now or in its turn: not a copy of what has ended or has a time of its own."""
    if command.id in known.ended:
        return False
    if command.id in known.tried:
        return command.again
    return known.parked.get(command.id, command.fingerprint) == command.fingerprint


def _order(connection: Connection, commands: Sequence[Command], now: datetime, company: Company) -> Turns:
    keys = {key for command in commands if (key := key_of(command)) is not None}
    if not keys:
        return take_turns(commands, {}, (), company)
    numbers = sequences.lock(connection, keys, now)
    parked = [readmitted(each.kept) for each in sequences.parked(connection, keys)]
    return take_turns(commands, numbers, _with_ids_of_their_own(connection, parked), company)


def _with_ids_of_their_own(connection: Connection, parked: list[Command]) -> list[Command]:
    """Parked commands; one whose id was used by another command meanwhile takes its turn, and that is all."""
    if not parked:
        return parked
    ended = inbox.known(inbox.ask_known(connection, [command.id for command in parked])).ended
    return [
        replace(command, refusal=reused(command), keeps_id=False) if command.id in ended else command
        for command in parked
    ]


def _move_turns(connection: Connection, turns: Turns, now: datetime) -> None:
    if turns.positions:
        sequences.move(connection, turns.positions, now)
    if turns.unparked:
        sequences.unpark(connection, turns.unparked)
    if turns.to_park:
        sequences.park(connection, (_parked_row(command, now) for command in turns.to_park))


def _parked_row(command: Command, now: datetime) -> dict[str, object]:
    return {
        "id": command.id,
        "source": command.source,
        "partitionkey": command.partitionkey,
        "sequence": command.sequence,
        **as_kept(command),
        "parked": now,
    }
