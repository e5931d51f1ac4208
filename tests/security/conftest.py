"""A worker's pipeline on this test's own database."""

from collections.abc import Iterator

import pytest

from store.engine import open_engine
from tests.pipeline.workshop import Workshop


@pytest.fixture
def workshop(database_url: str) -> Iterator[Workshop]:
    """Messages in, results out."""
    engine = open_engine(database_url, pool_size=12)
    yield Workshop(engine, database_url)
    engine.dispose()
