"""The database for words that look at it themselves, so that they work where no process runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workers.cli.failures import UNREACHABLE, Complaint, place_of
from workers.cli.preparing import prepare

if TYPE_CHECKING:
    from store.transaction import Engine
    from workers.settings import Settings


@contextmanager
def for_looking(word: str, *, at_the_truth: bool = False) -> Iterator[tuple["Engine", "Settings"]]:
    """Connections that only read: of the replica if there is one, unless it has to be the truth.

    Raises:
        Complaint: the replica cannot be reached. Trouble of the database itself is raised as it is.
    """
    settings = prepare()
    from store.errors import StoreUnavailable
    from store.reads.snapshot import for_reading

    replica = None if at_the_truth else settings.read_database_url
    try:
        with _engine(settings, replica or settings.database_url, word) as engine:
            yield for_reading(engine), settings
    except StoreUnavailable as error:
        if replica is None:
            raise
        sentence = f"the replica at {place_of(replica)} cannot be reached: {error}. "
        advice = "Start it, correct INTERLOCK_READ_DATABASE_URL, or unset it."
        raise Complaint(sentence + advice, UNREACHABLE) from error


@contextmanager
def for_changing(word: str) -> Iterator[tuple["Engine", "Settings"]]:
    """Connections to the database itself."""
    settings = prepare()
    with _engine(settings, settings.database_url, word) as engine:
        yield engine, settings


@contextmanager
def _engine(settings: "Settings", url: str, word: str) -> Iterator["Engine"]:
    from store import schema
    from store.engine import Plans, Timeouts, open_engine

    schema.require(url)
    timeouts = Timeouts(statement_ms=int(settings.query_timeout.total_seconds() * 1000))
    engine = open_engine(
        url, pool_size=1, timeouts=timeouts, application=f"interlock {word}", plans=Plans.FOR_QUESTIONS
    )
    try:
        yield engine
    finally:
        engine.dispose()
