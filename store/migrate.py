"""The version of the schema: bringing the database to it, and refusing to work with one that does not fit.

Each migration names the `oldest` schema whose code still works after it; the database keeps that for code that does
not know the migration. A migration that raises it is a contract step: it takes away what older processes use, and is
left out until an operator says that there are none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, text

from store.engine import Timeouts, open_engine
from store.errors import SchemaMismatch

LOCK_WAIT_MS = 5_000
# Two processes that migrate at once: the second waits, and then finds nothing to do.
_MIGRATION_LOCK = 0x1A7E_0001
_WORKS_WITH = "SELECT works_with FROM schema_compatibility WHERE revision = :revision"
# A client that is gone is noticed, and its lock freed, even in the middle of a long statement.
_NOTICE_LOST_CLIENTS = "SET client_connection_check_interval = '1s'"


@dataclass(frozen=True, slots=True)
class History:
    """The migrations that some code knows. `more` are further folders of them, besides this package's own."""

    more: tuple[Path, ...] = ()

    def config(self, connection: Connection | None = None) -> Config:
        """What alembic is to be told."""
        config = Config()
        folder = Path(__file__).with_name("migrations")
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", "\n".join(map(str, (folder / "versions", *self.more))))
        config.attributes["connection"] = connection
        config.attributes["works_with"] = self.works_with
        return config

    def steps(self) -> list[Script]:
        """All of them, the first one first."""
        return list(ScriptDirectory.from_config(self.config()).walk_revisions())[::-1]

    def revisions(self) -> list[str]:
        """The schemas that this code knows, the oldest first."""
        return [step.revision for step in self.steps()]

    def needed(self) -> str:
        """The schema that this code needs: the newest, but for contract steps that take away what it does not use."""
        steps = self.steps()
        while is_contract(steps[-1], steps):
            steps.pop()
        return steps[-1].revision

    def works_with(self, revision: str) -> list[str]:
        """The schemas whose code works with this one."""
        known = self.revisions()
        oldest = next(_oldest(step) for step in self.steps() if step.revision == revision)
        return known[known.index(oldest) : known.index(revision) + 1]

    def target(self, found: str | None, *, contract: bool) -> str:
        """How far to migrate from a schema: up to the first contract step, unless these are wanted as well.

        Raises:
            SchemaMismatch: if that is less than this code needs.
        """
        steps = self.steps()
        if contract or found is None:
            return steps[-1].revision
        known = self.revisions()
        pending = steps[known.index(found) + 1 :]
        stops_at = next((step for step in pending if is_contract(step, steps)), None)
        if stops_at is None:
            return steps[-1].revision
        reached = known.index(stops_at.revision) - 1
        if reached < known.index(self.needed()):
            raise SchemaMismatch(
                f"the migration {stops_at.revision} takes away what processes use that were made for schemas "
                f"before {_oldest(stops_at)}: stop those, then run `interlock migrate --contract`"
            )
        return known[reached]


OURS = History()


def is_contract(step: Script, steps: list[Script]) -> bool:
    """Whether a migration stops code that worked before it."""
    before = [each for each in steps if each.revision == step.down_revision]
    return bool(before) and _oldest(before[0]) != _oldest(step)


def newest() -> str:
    """The schema that this version needs."""
    return OURS.needed()


def current(connection: Connection) -> str | None:
    """The schema that the database has; None if it has none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(
    database_url: str, *, contract: bool = False, history: History = OURS, lock_wait_ms: int = LOCK_WAIT_MS
) -> None:
    """Brings the database to the newest schema. Can be run again at any time, by several processes at once.

    Each migration is a transaction of its own. It waits for a lock no longer than `lock_wait_ms`: whoever waits for
    an exclusive one holds up all that come after.
    """
    engine = open_engine(
        database_url, pool_size=1, timeouts=Timeouts(statement_ms=0), application="interlock migrate"
    )
    try:
        with _alone(engine) as connection:
            _run(connection, text(f"SET lock_timeout = {int(lock_wait_ms)}"))
            found = current(connection)
            connection.commit()
            if found in (None, *history.revisions()):
                target = history.target(found, contract=contract)
                command.upgrade(history.config(connection), target)
            else:
                _require_fit(connection, history)
    finally:
        engine.dispose()


def require_current(engine: Engine, history: History = OURS) -> None:
    """Checks that the database has a schema that this version works with.

    Raises:
        SchemaMismatch: if it is older, or missing, or newer and not declared to fit.
    """
    with engine.connect() as connection:
        _require_fit(connection, history)


def fault(connection: Connection, history: History = OURS) -> str | None:
    """What keeps this version from working with the database's schema, if anything does."""
    found, known, needed = current(connection), history.revisions(), history.needed()
    if found in known[known.index(needed) :]:
        return None
    if found is None or found in known:
        return f"the database's schema is {found or 'missing'}, this version needs {needed}: run `interlock migrate`"
    if needed in _declared(connection, found):
        return None
    return f"the database's schema {found} is newer than this version's ({needed}): upgrade Interlock"


def _require_fit(connection: Connection, history: History) -> None:
    found = fault(connection, history)
    if found is not None:
        raise SchemaMismatch(found)


def _declared(connection: Connection, revision: str) -> list[str]:
    """The schemas whose code works with one that is not known here, as its own migration has said."""
    if connection.scalar(text("SELECT to_regclass('schema_compatibility')")) is None:
        return []
    return connection.scalar(text(_WORKS_WITH), {"revision": revision}) or []


def _oldest(step: Script) -> str:
    return str(step.module.oldest)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A session that migrates alone; its lock is the session's, as each migration is a transaction."""
    with engine.connect() as connection:
        _run(connection, text(_NOTICE_LOST_CLIENTS))
        _run(connection, text("SET lock_timeout = 0"))
        _run(connection, text(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})"))
        yield connection


def _run(connection: Connection, statement: object) -> None:
    connection.execute(statement)  # type: ignore[call-overload]
    connection.commit()
