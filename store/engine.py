"""Connections: the pool, the timeouts that keep a stuck client from holding locks, and how JSON is read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from psycopg.adapt import Loader
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

from store import arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """The database's own limits on one session, in milliseconds."""

    statement_ms: int = 30_000
    lock_ms: int = 10_000
    idle_in_transaction_ms: int = 60_000
    #: for sessions that hold an advisory lock: whoever stands still, or is gone, loses it; 0: no limit
    idle_session_ms: int = 0
    connect_s: int = 5


# Every statement of a command finds its rows by an index. Said once, the plan need not be made again for each
# execution (a third of a millisecond each), and does not go bad when it was made while the tables were empty.
_ALWAYS_BY_INDEX = (
    "-c plan_cache_mode=force_generic_plan "
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off "
)
# What a query asks for decides which index is best: a plan for all cases would be none for large tables. Pages are
# small, so reading here and there is no dearer than on a disk that does not turn. No helpers: their processors are
# the commands'.
_FOR_QUESTIONS = (
    "-c plan_cache_mode=force_custom_plan "
    "-c random_page_cost=1.1 -c work_mem=16MB -c max_parallel_workers_per_gather=0 "
)


class Plans(StrEnum):
    """How PostgreSQL is to plan the statements of a session."""

    USUAL = ""
    #: for sessions that apply commands: fixed plans, each row found by an index
    BY_INDEX = _ALWAYS_BY_INDEX
    #: for sessions that answer queries: a plan for each, by what it asks for
    FOR_QUESTIONS = _FOR_QUESTIONS


def open_engine(
    url: str,
    *,
    pool_size: int = 5,
    timeouts: Timeouts | None = None,
    application: str = "interlock",
    plans: Plans = Plans.USUAL,
) -> Engine:
    """An engine with a pool of its own; no connection is made yet."""
    limits = timeouts or Timeouts()
    options = (
        f"-c statement_timeout={limits.statement_ms} -c lock_timeout={limits.lock_ms} "
        f"-c idle_in_transaction_session_timeout={limits.idle_in_transaction_ms} "
        f"-c idle_session_timeout={limits.idle_session_ms} "
        f"{plans}-c TimeZone=UTC -c jit=off"
    )
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=limits.connect_s,
        isolation_level="READ COMMITTED",
        connect_args={
            "options": options,
            "application_name": application,
            "connect_timeout": limits.connect_s,
            "prepare_threshold": 2,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
        },
    )
    event.listen(engine, "connect", _adapt)
    return engine


class _Json(Loader):
    """The parser itself is what the driver calls for each value: no function of Python's between them."""

    load = staticmethod(msgspec.json.decode)  # type: ignore[assignment]


def _adapt(connection: Any, _record: Any) -> None:
    arrays.register(connection)
    for kind in ("json", "jsonb"):
        connection.adapters.register_loader(kind, _Json)
