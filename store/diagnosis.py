"""What the database can tell about itself, and about who works with it. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from store.duties import CLOCK_LOCK
from store.engine import Timeouts, open_engine
from store.migrate import current, fault
from store.outbox import RELAY_LOCK
from store.transaction import Engine

_SERVER = """
SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
  current_setting('fsync') = 'on' AS fsync, current_setting('synchronous_commit') <> 'off' AS waits_for_the_disk,
  pg_is_in_recovery() AS is_a_replica
"""
# An advisory lock on a bigint shows its two halves.
_HOLDS = """
SELECT DISTINCT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND classid = 0 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_SESSIONS = """
SELECT application_name, count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'interlock %%' GROUP BY 1
"""
_BACKLOG = """
SELECT (SELECT count(*) FROM outbox WHERE published IS NULL) AS events,
  (SELECT created FROM outbox WHERE published IS NULL ORDER BY id LIMIT 1) AS oldest_event,
  (SELECT count(*) FROM unpublished_results WHERE created < clock_timestamp() - interval '30 seconds') AS results,
  (SELECT count(*) FROM parked_command) AS parked,
  (SELECT count(*) FROM attempt WHERE last_error IS NOT NULL) AS failing,
  (SELECT count(*) FROM attempt WHERE waits > 0 AND last_error IS NULL) AS deferred,
  (SELECT count(*) FROM dead_letter WHERE replayed IS NULL) AS dead_letters
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """PostgreSQL as it is set up."""

    number: int
    version: str
    fsync: bool
    waits_for_the_disk: bool
    is_a_replica: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Which processes have their connections here."""

    relay_is_active: bool
    clock_is_active: bool
    #: connections by application name, such as `interlock worker`
    sessions: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits in the database. `events` counts transactions, `results` batches that a worker left behind."""

    events: int
    oldest_event: datetime | None
    results: int
    parked: int
    failing: int
    deferred: int
    dead_letters: int


def open_quickly(database_url: str) -> Engine:
    """An engine for a few questions that must not take long."""
    timeouts = Timeouts(statement_ms=5_000, lock_ms=1_000)
    return open_engine(database_url, pool_size=1, timeouts=timeouts, application="interlock doctor")


_TIME = "SELECT clock_timestamp()"


def server(connection: Connection) -> Server:
    """How PostgreSQL is set up."""
    return Server(**connection.exec_driver_sql(_SERVER).mappings().one())


def time(connection: Connection) -> datetime:
    """PostgreSQL's clock."""
    moment: datetime = connection.exec_driver_sql(_TIME).scalar_one()
    return moment


def schema(connection: Connection) -> tuple[str | None, str | None]:
    """The schema that the database has, and what keeps this version from working with it, if anything does."""
    return current(connection), fault(connection)


def processes(connection: Connection) -> Processes:
    """Who is connected, and who holds the locks of the active relay and the active clock."""
    held = set(connection.exec_driver_sql(_HOLDS).scalars())
    return Processes(
        relay_is_active=RELAY_LOCK in held,
        clock_is_active=CLOCK_LOCK in held,
        sessions={row[0]: row[1] for row in connection.exec_driver_sql(_SESSIONS)},
    )


def backlog(connection: Connection) -> Backlog:
    """What waits. Needs the current schema."""
    return Backlog(**connection.exec_driver_sql(_BACKLOG).mappings().one())
