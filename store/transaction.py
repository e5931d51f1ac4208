"""One transaction, and what its failures mean: another try, trouble of the infrastructure, a fault of the data."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from store.errors import Raced, StoreError, StoreUnavailable, TookTooLong, Unstorable
from store.pipeline import Pipeline, make_pipeline

__all__ = ["Connection", "Engine", "piped_transaction", "session", "transaction"]

# PostgreSQL's error codes (appendix A of its manual); two characters stand for a whole class.
_RACED = ("40", "23")
_CANCELLED = "57014"
_UNAVAILABLE = ("08", "53", "57P", "58", "25006", "55P03", "55000")


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Runs a block in one transaction: all of it is committed, or nothing.

    Raises:
        Raced: another transaction was first; the same work can be tried again at once.
        StoreUnavailable: the database is away, full, or busy; whether COMMIT succeeded may be unknown.
        Unstorable: the database refused the work for its own sake (a value, a statement that took too long).
    """
    with _translated(), engine.begin() as connection:
        yield connection


@contextmanager
def session(engine: Engine) -> Iterator[Connection]:
    """Runs a block on one connection, each statement a transaction of its own. Raises as `transaction` does."""
    with _translated(), engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def piped_transaction(engine: Engine) -> Iterator[Connection]:
    """As `transaction`, but statements are sent without waiting for each other's answers, BEGIN and COMMIT among
    them: only asking for rows waits. What fails is raised where rows are asked for, or at the end of the block."""
    with _translated(), engine.connect() as connection:
        pipeline = make_pipeline(connection)
        try:
            pipeline.begin()
            yield connection
            pipeline.commit()
        # Whatever it was, a signal too: what was sent must not stay on the connection.
        except BaseException:
            _end(connection, pipeline)
            raise


def _end(connection: Connection, pipeline: Pipeline) -> None:
    usable = False
    try:
        with suppress(psycopg.Error):
            pipeline.rollback()
            usable = True
    finally:
        # Nobody can say what it would answer next. What was begun on it ends with it.
        if not usable:
            connection.invalidate()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("all connections are in use") from error
    except DBAPIError as error:
        raise _meaning(error.orig) from error
    except psycopg.Error as error:
        raise _meaning(error) from error


def _meaning(error: BaseException | None) -> StoreError:
    state = getattr(error, "sqlstate", None) or ""
    meant = _kind_of(error, state)
    meant.sqlstate = state
    return meant


def _kind_of(error: BaseException | None, state: str) -> StoreError:
    if isinstance(error, psycopg.errors.PipelineAborted):
        # What failed before it, among statements sent together, is not known here: another try will tell.
        return Raced("a statement sent before this one failed")
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if state.startswith(_RACED):
        return Raced(text)
    # The driver's own complaints have no state: the connection is lost, or in no state to be used.
    lost = not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    if lost or state.startswith(_UNAVAILABLE):
        return StoreUnavailable(text)
    kind = TookTooLong if state == _CANCELLED else Unstorable
    return kind(f"{text} (SQLSTATE {state or 'unknown'})")
