"""The schema as a process finds it when it starts, and what the driver's errors mean there."""

from sqlalchemy.exc import DBAPIError

from store.engine import Timeouts, open_engine
from store.errors import StoreError, StoreUnavailable
from store.migrate import LOCK_WAIT_MS, current, require_current, upgrade
from store.transaction import session

_LOCK_NOT_AVAILABLE = "55P03"
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


def migrate(database_url: str, *, contract: bool = False) -> tuple[str | None, str | None]:
    """Brings the database to the newest schema; answers which it had before, and which it has now.

    Raises:
        StoreError: nothing was changed by the migration that failed; those before it stay.
    """
    before = _version(database_url)
    try:
        upgrade(database_url, contract=contract)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise StoreError(_locked_out(_version(database_url))) from error
        raise meaning_of(error) or error from error
    return before, _version(database_url)


def _locked_out(reached: str | None) -> str:
    return (
        f"the migration gave up after {LOCK_WAIT_MS / 1000:g} s of waiting for a lock that another session holds; "
        f"what it had begun is undone, and the schema is {reached or 'missing'}. Run `interlock migrate` again; "
        "if that does not help, see in pg_stat_activity who has had a transaction open for long"
    )


def _version(database_url: str) -> str | None:
    engine = open_engine(database_url, pool_size=1, timeouts=_QUICK, application="interlock migrate")
    try:
        with session(engine) as connection:
            return current(connection)
    finally:
        engine.dispose()
