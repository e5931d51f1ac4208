"""What a query function is given."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from store.transaction import Connection

D_co = TypeVar("D_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large a graph may be told. Both are settings."""

    graph_max_nodes: int = 10_000
    graph_max_artifacts: int = 10_000


@dataclass(frozen=True, slots=True)
class Asked(Generic[D_co]):
    """One query: where to read, the valid data, the limits, and the moment for which it is answered."""

    connection: Connection
    data: D_co
    limits: Limits
    now: datetime
