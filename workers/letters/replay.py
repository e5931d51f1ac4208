"""Dead letters go back onto their queues, in one transaction each portion: whoever is killed has replayed a
letter, or has not. The clock then sends what was replayed (see docs/decisions)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic_core import from_json

from messages.errors import ErrorCode
from messages.fields import Id
from store import attempts, dead_letters, inbox
from store.dead_letters import Letter
from store.inbox import Seen
from store.transaction import Connection, Engine, transaction
from workers.pipeline.apply import LARGEST_KEPT
from workers.pipeline.fingerprint import fingerprint

AT_ONCE = 200


class Fate(StrEnum):
    """What becomes of a letter that is to be replayed."""

    AGAIN = "again"
    #: its bytes go onto the queue as they came
    AS_IT_CAME = "as it came"
    OUT_OF_TURN = "its turn has passed"
    ENDED = "the command has ended since"
    CUT = "only its beginning was kept"


REPLAYED = frozenset({Fate.AGAIN, Fate.AS_IT_CAME})


@dataclass(frozen=True, slots=True)
class Treated:
    """A letter, and what became of it."""

    letter: Letter
    fate: Fate

    @property
    def is_replayed(self) -> bool:
        """Whether it goes onto its queue again; otherwise it stays where it is."""
        return self.fate in REPLAYED


def replay(
    engine: Engine, letter_ids: Sequence[Id], now: datetime, *, out_of_turn: bool = False
) -> Iterator[Treated]:
    """Replays what of these letters is still there, portion by portion; yields what is committed.

    `out_of_turn` allows that of commands whose turn was taken when they were given up.

    Raises:
        StoreError: what was yielded is replayed; of the portion after it nothing is, unless the answer got lost.
    """
    for start in range(0, len(letter_ids), AT_ONCE):
        with transaction(engine) as connection:
            treated = _portion(connection, letter_ids[start : start + AT_ONCE], now, out_of_turn)
        yield from treated


def _portion(
    connection: Connection, letter_ids: Iterable[Id], now: datetime, out_of_turn: bool
) -> list[Treated]:
    letters = dead_letters.lock(connection, letter_ids)
    seen = inbox.seen(connection, [each.command_id for each in letters if each.command_id is not None])
    treated = [Treated(letter, fate_of(letter, seen, out_of_turn)) for letter in letters]
    again = [each.letter for each in treated if each.fate is Fate.AGAIN]
    raw = [each.letter.id for each in treated if each.fate is Fate.AS_IT_CAME]
    if again:
        # Its ERROR is forgotten in the moment in which it is to be tried again: at no time is it lost or done twice.
        inbox.forget(connection, [letter.command_id for letter in again if letter.command_id])
        attempts.replay(connection, map(_attempt, again), now)
        dead_letters.delete(connection, [letter.id for letter in again])
    if raw:
        dead_letters.mark_replayed(connection, raw, now)
    return treated


def fate_of(letter: Letter, seen: Mapping[Id, Seen], out_of_turn: bool) -> Fate:
    """What may be done about a letter, given what the inbox knows of its command. Pure."""
    if letter.command_id is None:
        return Fate.CUT if letter.size >= LARGEST_KEPT else Fate.AS_IT_CAME
    envelope = from_json(letter.body)
    ended = seen.get(letter.command_id)
    if ended is not None and not _was_given_up(ended, envelope):
        return Fate.ENDED
    return Fate.AGAIN if out_of_turn or not has_turn(envelope) else Fate.OUT_OF_TURN


def has_turn(envelope: Mapping[str, Any]) -> bool:
    """Whether the command stands in an order: it took its turn when it was given up."""
    return envelope.get("partitionkey") is not None


def _was_given_up(ended: Seen, envelope: Mapping[str, Any]) -> bool:
    error = (from_json(ended.result).get("data") or {}).get("error") or {}
    return ended.fingerprint == fingerprint(envelope) and error.get("code") == ErrorCode.INTERNAL


def _attempt(letter: Letter) -> dict[str, Any]:
    envelope = from_json(letter.body)
    return {
        "id": letter.command_id,
        "reason": letter.reason,
        "envelope": letter.body.decode(),
        "fingerprint": dead_letters.as_bytea(fingerprint(envelope)),
        "out_of_turn": has_turn(envelope),
    }
