"""The version of the schema: bringing the database to it, and refusing to work with another."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from store.engine import Timeouts, open_engine
from store.errors import SchemaMismatch

# Two processes that migrate at once: the second waits, and then finds nothing to do.
_MIGRATION_LOCK = 0x1A7E_0001


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """The schema that this version works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(connection: Connection) -> str | None:
    """The schema that the database has; None if it has none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(database_url: str) -> None:
    """Brings the database to the newest schema. Can be run again at any time, by several processes at once."""
    engine = open_engine(
        database_url,
        pool_size=1,
        timeouts=Timeouts(statement_ms=0, lock_ms=60_000),
        application="interlock migrate",
    )
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            command.upgrade(_config(connection), "head")
    finally:
        engine.dispose()


def require_current(engine: Engine) -> None:
    """Checks that the database has the schema of this version.

    Raises:
        SchemaMismatch: if it is older, newer or missing.
    """
    with engine.connect() as connection:
        found = current(connection)
    wanted = newest()
    if found == wanted:
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is None or found in known:
        raise SchemaMismatch(
            f"the database's schema is {found or 'missing'}, this version needs {wanted}: run `interlock migrate`"
        )
    raise SchemaMismatch(
        f"the database's schema {found} is newer than this version's ({wanted}): upgrade Interlock"
    )
