"""One database for all sequences: each lives in a space of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from store.engine import Plans, open_engine
from store.transaction import Engine
from tests.servers import Servers, fresh_database
from workers.now import monotonic


@pytest.fixture(scope="module")
def engine(servers: Servers, template_database: str) -> Iterator[Engine]:
    with fresh_database(servers, template_database) as url:
        engine = open_engine(url, pool_size=1, plans=Plans.BY_INDEX)
        yield engine
        engine.dispose()


class Budget:
    """How long a test may go on looking. Once it has found something, it may look as long as it takes to say what."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._found = False

    def is_spent(self, seconds: float) -> bool:
        return not self._found and monotonic() - self._began > seconds

    @contextmanager
    def looking(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._found = True
            raise


@pytest.fixture(scope="module")
def budget() -> Budget:
    return Budget()
