"""Threads that are all in the middle of their transaction at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from store import driver
from store.engine import open_engine
from store.transaction import Connection
from tests.pipeline.workshop import Envelope, Workshop
from workers.pipeline import apply
from workers.pipeline.gather import ask_ahead

TOGETHER_WITHIN_S = 60.0
Race = Callable[..., list[list[Envelope]]]


@pytest.fixture
def workshop(database_url: str) -> Iterator[Workshop]:
    """Messages in, results out; enough connections for all who race."""
    engine = open_engine(database_url, pool_size=12)
    yield Workshop(engine, database_url)
    engine.dispose()


@pytest.fixture
def race(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Race:
    """Handles each list of envelopes in a thread and a transaction of its own; the results, by thread.

    All wait for each other when they have looked into the inbox and have locked nothing yet: none of them knows
    of what the others are about to do. Whoever is then beaten tries again as in a worker, without waiting.
    """
    order = apply._order

    def start(*fetches: list[Envelope]) -> list[list[Envelope]]:
        together = threading.Barrier(len(fetches), timeout=TOGETHER_WITHIN_S)
        met = threading.local()

        def meet(connection: Connection) -> None:
            if not hasattr(met, "others"):
                met.others = True
                driver.scalar(connection, "SELECT 1")  # what was sent before has been answered then
                together.wait()

        def meet_and_order(connection: Connection, *arguments: Any) -> Any:
            meet(connection)
            return order(connection, *arguments)

        def meet_and_ask(connection: Connection, *arguments: Any) -> Any:
            meet(connection)
            return ask_ahead(connection, *arguments)

        with monkeypatch.context() as patch, ThreadPoolExecutor(len(fetches)) as threads:
            patch.setattr(apply, "_order", meet_and_order)
            patch.setattr(apply, "ask_ahead", meet_and_ask)
            started = [threads.submit(workshop.handle, *envelopes) for envelopes in fetches]
            return [thread.result(timeout=30) for thread in started]

    return start
