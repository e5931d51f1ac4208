"""The schema as a process finds it when it starts, and what the driver's errors mean there."""

from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

from store.engine import Timeouts, open_engine
from store.errors import SchemaMismatch, StoreError, StoreUnavailable
from store.migrate import current, newest, require_current, upgrade
from store.transaction import session

_QUICK = Timeouts(statement_ms=5_000, lock_ms=5_000)


def meaning_of(error: BaseException) -> StoreError | None:
    """What an error of the driver means, wherever it was raised; None for any other error."""
    if not isinstance(error, DBAPIError):
        return None
    text = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
    is_away = error.connection_invalidated or getattr(error.orig, "sqlstate", None) is None
    return StoreUnavailable(text) if is_away else StoreError(text)


def require(database_url: str) -> None:
    """Checks that the database answers, and has the schema of this version.

    Raises:
        StoreError: `StoreUnavailable` or `SchemaMismatch`.
    """
    engine = open_engine(database_url, pool_size=1, timeouts=_QUICK, application="interlock start")
    try:
        with session(engine):
            pass
        require_current(engine)
    finally:
        engine.dispose()


def migrate(database_url: str) -> tuple[str | None, str | None]:
    """Brings the database to the newest schema; answers which it had before, and which it has now.

    Raises:
        StoreError: nothing was changed.
    """
    before = _version(database_url)
    try:
        upgrade(database_url)
    except DBAPIError as error:
        raise meaning_of(error) or error from error
    except CommandError as error:
        raise SchemaMismatch(
            f"the database's schema {before} is newer than this version's ({newest()}): upgrade Interlock"
        ) from error
    return before, _version(database_url)


def _version(database_url: str) -> str | None:
    engine = open_engine(database_url, pool_size=1, timeouts=_QUICK, application="interlock migrate")
    try:
        with session(engine) as connection:
            return current(connection)
    finally:
        engine.dispose()
