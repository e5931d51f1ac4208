"""Commands that are to be tried again: counted, claimed, forgotten when they end.

A row of `attempt` is *deferred* when the rules told it to wait (`waits` > 0) and it did no harm since; all others
are tried alone, and their attempt is counted before it is made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from messages.fields import Id
from store import driver
from store.kept import Kept
from store.recordset import ids_parameter, insert_rows, rows_parameter
from store.tables.delivery import attempt

# What a worker holds while it tries commands that may end it: so that only one process dies of them at a time.
LONE_LOCK = 0x1A7E_0004

DIED = "the worker process died while it tried this command, or was stopped"

_DEFERRED = "attempts = 0 AND waits > 0 AND NOT in_hand"
_DEFER = f"""
{insert_rows(attempt)}
ON CONFLICT (command_id) DO UPDATE SET attempts = 0, last_error = NULL, in_hand = false,
  waits = attempt.waits + 1, next_attempt_at = excluded.next_attempt_at, wait_reason = excluded.wait_reason,
  run_id = excluded.run_id
"""
_SUSPECT = f"{insert_rows(attempt)} ON CONFLICT (command_id) DO NOTHING"
_REPLAY = """
INSERT INTO attempt (command_id, attempts, since, next_attempt_at, last_error, envelope, fingerprint, out_of_turn)
SELECT k.id, 0, %(now)s, %(now)s, k.reason, CAST(k.envelope AS json), CAST(k.fingerprint AS bytea), k.out_of_turn
FROM json_to_recordset(CAST(%(rows)s AS json))
  AS k(id uuid, reason text, envelope text, fingerprint text, out_of_turn boolean)
ON CONFLICT (command_id) DO UPDATE
SET next_attempt_at = excluded.next_attempt_at, out_of_turn = excluded.out_of_turn
"""
_FAIL = """
UPDATE attempt SET attempts = attempts + %(more)s, in_hand = false, last_error = %(error)s
WHERE command_id = %(id)s RETURNING attempts
"""
_POSTPONE = "UPDATE attempt SET next_attempt_at = %(at)s WHERE command_id = %(id)s"
_FORGET = "DELETE FROM attempt WHERE command_id = ANY(CAST(%(ids)s AS uuid[]))"
_TAKE = "command_id, attempts, waits, out_of_turn, envelope, fingerprint, refusal"
_CLAIM_DEFERRED = f"""
UPDATE attempt SET in_hand = true, next_attempt_at = %(lease)s WHERE command_id IN (
  SELECT command_id FROM attempt WHERE next_attempt_at <= %(now)s AND {_DEFERRED}
  ORDER BY next_attempt_at, command_id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING {_TAKE}
"""
# Twice as long each time; but not before the second: who dies once is seldom to blame, and commands that came together
# keep their order. What stands there as the error is true if nobody comes back to write another.
_CLAIM_ONE = f"""
UPDATE attempt SET in_hand = true, attempts = attempts + 1, last_error = %(died)s,
  next_attempt_at = CASE WHEN attempts = 0 THEN next_attempt_at ELSE
    %(now)s + least(%(longest)s, %(first)s * power(2, least(attempts, 20) - 1)) * interval '1 second' END
WHERE command_id = (
  SELECT command_id FROM attempt WHERE next_attempt_at <= %(now)s AND NOT ({_DEFERRED})
  ORDER BY next_attempt_at, command_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING {_TAKE}
"""
_TRY_LOCK = "SELECT pg_try_advisory_lock(%(key)s)"
# Whoever stands still, or is gone without a word, must not keep the others from trying.
_LIMIT_SILENCE = "SELECT set_config('idle_session_timeout', %(ms)s, false)"
_UNLOCK = "SELECT pg_advisory_unlock(%(key)s), set_config('idle_session_timeout', '0', false)"
_ANY_ALONE = f"SELECT EXISTS (SELECT FROM attempt WHERE next_attempt_at <= %(now)s AND NOT ({_DEFERRED}))"


@dataclass(frozen=True, slots=True)
class ToTry:
    """A command whose next try has come. `attempts` counts this one, if it is tried alone."""

    id: Id
    attempts: int
    waits: int
    #: it was given up and replayed: its turn was taken then
    out_of_turn: bool
    kept: Kept


def defer(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """The rules told these commands to wait: what they did before is forgiven. Rows as the table has them."""
    driver.execute(connection, _DEFER, rows_parameter(rows))


def suspect(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """One of these may have ended the workers that had them: each is to be tried alone. Known ones stay as they are."""
    driver.execute(connection, _SUSPECT, rows_parameter(rows))


def replay(connection: Connection, rows: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Commands that were given up are tried at once, as if they had never failed: `id`, `reason`, `envelope` as text,
    `fingerprint` as bytea in text, and whether they go `out_of_turn`."""
    driver.execute(connection, _REPLAY, {**rows_parameter(rows), "now": now})


def count_failure(connection: Connection, command_id: Id, error: str, *, counted: bool) -> int | None:
    """A command failed. `counted`: its claim has counted the try. Answers how many there were; None: it has ended."""
    parameters = {"id": command_id, "error": error, "more": 0 if counted else 1}
    return next(iter(driver.scalars(connection, _FAIL, parameters)), None)


def postpone(connection: Connection, command_id: Id, until: datetime) -> None:
    """Not to be tried again before this time."""
    driver.execute(connection, _POSTPONE, {"id": command_id, "at": until})


def forget(connection: Connection, ids: Iterable[Id]) -> None:
    """These commands have ended, or wait for their turn."""
    driver.execute(connection, _FORGET, {"ids": ids_parameter(ids)})


def claim_deferred(connection: Connection, now: datetime, lease: datetime, most: int) -> list[ToTry]:
    """Commands whose wait is over, for this worker until `lease`: after that they count as having ended it."""
    parameters = {"now": now, "lease": lease, "most": most}
    return sorted(_taken(connection, _CLAIM_DEFERRED, parameters), key=lambda it: str(it.id))


def claim_one(connection: Connection, now: datetime, first_s: float, longest_s: float) -> ToTry | None:
    """The next command to be tried alone: counted, and put off for as long as it would be if it failed.

    At its first try it keeps its place: it is tried again before those behind it if nobody survives that.
    """
    parameters = {"now": now, "first": first_s, "longest": longest_s, "died": DIED}
    return next(iter(_taken(connection, _CLAIM_ONE, parameters)), None)


def any_to_try_alone(connection: Connection, now: datetime) -> bool:
    """Whether `claim_one` would find something."""
    return bool(driver.scalar(connection, _ANY_ALONE, {"now": now}))


def become_the_lone_one(connection: Connection, silence_s: float) -> bool:
    """Whether this session is the one that tries commands alone from now on: until it steps back, or is silent for so
    long."""
    if not driver.scalar(connection, _TRY_LOCK, {"key": LONE_LOCK}):
        return False
    driver.scalar(connection, _LIMIT_SILENCE, {"ms": str(int(silence_s * 1000))})
    return True


def step_back(connection: Connection) -> None:
    """Lets others try."""
    driver.scalar(connection, _UNLOCK, {"key": LONE_LOCK})


def _taken(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> list[ToTry]:
    return [
        ToTry(ident, attempts, waits, out_of_turn, Kept(envelope, bytes(mark), refusal))
        for ident, attempts, waits, out_of_turn, envelope, mark, refusal in driver.rows(
            connection, statement, parameters
        )
    ]
