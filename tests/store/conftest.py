"""One connection to this test's own database."""

from collections.abc import Iterator

import pytest

from store.engine import Timeouts, open_engine
from store.transaction import Engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Waits for a lock no longer than a test has patience."""
    engine = open_engine(database_url, pool_size=4, timeouts=Timeouts(lock_ms=300, statement_ms=2_000))
    yield engine
    engine.dispose()
