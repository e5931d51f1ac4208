"""A run in a database of the test's own, `interlock graph` run on it, and a browser that looks at the page."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from store.engine import open_engine
from workers.cli.main import app

Word = Callable[..., Result]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture
def graph_word(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Word:
    """Runs `interlock graph` with these arguments."""
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", database_url)
    monkeypatch.delenv("INTERLOCK_READ_DATABASE_URL", raising=False)

    def run(*args: object) -> Result:
        return CliRunner().invoke(app, ["graph", *map(str, args)])

    return run
