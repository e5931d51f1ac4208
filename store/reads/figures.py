"""Figures of the database: what waits, what runs, what was given up. Cheap however many rows there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from messages.states import TERMINAL, StateType
from store import driver
from store.transaction import Connection

#: more rows than that are not counted: `Waiting.number` then says this much
MOST_COUNTED = 100_000
#: A table of up to so many bytes is counted, a larger one is estimated from what ANALYZE has found.
_LARGEST_COUNTED = 16 * 1_048_576
#: Limits beyond these are only numbered.
_LIMITS_SHOWN = 100

_TERMINAL = ", ".join(f"'{state}'" for state in StateType if state in TERMINAL)


def _counted(table: str, moment: str, where: str = "") -> str:
    return f"""
SELECT '{table}' AS name, count(*) AS number, min(moment) AS oldest
FROM (SELECT {moment} AS moment FROM {table} {where} ORDER BY {moment} LIMIT {MOST_COUNTED}) AS found"""


# Told to wait by the rules; the others of `attempt` failed, or are suspected.
_DEFERRED = "waits > 0 AND last_error IS NULL"


def _tried_again(name: str, which: str) -> str:
    """Of those that come first to hand: no index tells these apart, and there are few."""
    return f"""
SELECT '{name}' AS name, count(*) AS number, min(since) AS oldest
FROM (SELECT since, {which} AS is_meant FROM attempt LIMIT {MOST_COUNTED}) AS found WHERE is_meant"""


_WAITING = " UNION ALL ".join(
    f"({each})"
    for each in (
        # Ids are drawn as time goes: their index gives the oldest first.
        f"""SELECT 'outbox' AS name, count(*) AS number, min(created) AS oldest
FROM (SELECT created FROM outbox WHERE published IS NULL ORDER BY id LIMIT {MOST_COUNTED}) AS found""",
        f"""SELECT 'unpublished_results' AS name, count(*) AS number, min(created) AS oldest
FROM (SELECT created FROM unpublished_results LIMIT {MOST_COUNTED}) AS found""",
        _counted("parked_command", "parked"),
        # What is on its way back to its queue is no dead letter any more.
        _counted("dead_letter", "created", "WHERE replayed IS NULL"),
        _tried_again("deferred", _DEFERRED),
        _tried_again("attempt", f"NOT ({_DEFERRED})"),
    )
)
# Those at rest are counted by an index alone; those in motion are few (see `store.tables.runs`).
_RUNS = """
SELECT resting_type, count(*) FROM flow_run WHERE resting_type IN ('SCHEDULED', 'PAUSED') GROUP BY resting_type
UNION ALL
SELECT state_type, count(*) FROM flow_run WHERE resting_type IS NULL AND state_type IS NOT NULL GROUP BY state_type
"""
_ENDED = f"""
SELECT resting_type, count(*) FROM flow_run WHERE resting_type IN ({_TERMINAL}) GROUP BY resting_type
"""
_SIZE = (
    "SELECT pg_table_size('flow_run'), greatest(reltuples, 0) FROM pg_class WHERE oid = 'flow_run'::regclass"
)
# What ANALYZE has seen of a column: the commonest values, and which share of the rows has each.
_SHARES = """
SELECT value, share
FROM pg_stats, unnest(most_common_vals::text::text[], most_common_freqs) AS seen(value, share)
WHERE schemaname = current_schema() AND tablename = 'flow_run' AND attname = 'state_type'
"""
_LIMITS = f"""
SELECT l.name, l."limit", l.active, coalesce(sum(s.slots), 0)::int AS held,
  (SELECT f.name || '/' || d.name FROM deployment d JOIN flow f ON f.id = d.flow_id
   WHERE d.concurrency_limit_id = l.id ORDER BY d.id LIMIT 1) AS deployment
FROM concurrency_limit l LEFT JOIN concurrency_slot s
  ON s.limit_id = l.id AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
GROUP BY l.id
ORDER BY coalesce(sum(s.slots), 0)::float / greatest(l."limit", 1) DESC, l.name LIMIT {_LIMITS_SHOWN}
"""
_COUNT_LIMITS = "SELECT count(*) FROM concurrency_limit"


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many there are, and since when the oldest is there."""

    number: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Use:
    """How many slots of a limit are held. `deployment` (FLOW/NAME) is the one whose limit it is, if it is one's."""

    name: str
    limit: int
    active: bool
    held: int
    deployment: str | None = None

    @property
    def shown_name(self) -> str:
        """For people: the name of a deployment rather than its id."""
        return self.deployment or self.name


@dataclass(frozen=True, slots=True)
class Runs:
    """Flow runs by the type of their state. Those that have not ended are counted; those that have may be estimated."""

    by_state: Mapping[StateType, int]
    is_estimated: bool


def waiting(connection: Connection) -> dict[str, Waiting]:
    """What waits in these tables: outbox, unpublished_results, parked_command, attempt, dead_letter. Of `attempt`, what
    the rules told to wait, and what did not fail since, is apart, as `deferred`."""
    return {row[0]: Waiting(row[1], row[2]) for row in driver.rows(connection, _WAITING)}


def runs(connection: Connection) -> Runs:
    """All flow runs."""
    counted = dict.fromkeys(StateType, 0)
    counted |= {StateType(row[0]): row[1] for row in driver.rows(connection, _RUNS)}
    ((size, rows),) = driver.rows(connection, _SIZE)
    if size <= _LARGEST_COUNTED:
        counted |= {StateType(row[0]): row[1] for row in driver.rows(connection, _ENDED)}
        return Runs(counted, is_estimated=False)
    shares = {StateType(row[0]): row[1] for row in driver.rows(connection, _SHARES)}
    counted |= {state: round(rows * shares.get(state, 0)) for state in TERMINAL}
    return Runs(counted, is_estimated=True)


def limits(connection: Connection) -> tuple[list[Use], int]:
    """The fullest limits, and how many limits there are in all."""
    uses = [Use(*row) for row in driver.rows(connection, _LIMITS)]
    return uses, int(driver.scalar(connection, _COUNT_LIMITS))
