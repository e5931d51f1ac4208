"""What makes delivery exact: the inbox, the outbox, parked commands and dead letters."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from store.tables.metadata import Instant, id_column, metadata, words


def _as_admitted() -> list[Column[Any]]:
    """A command as it was admitted: what it said, what it is recognised by, and why it was refused, if it was."""
    return [
        Column("envelope", JSON, nullable=False),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("refusal", JSON),
    ]


# The inbox: one row for each command that has ended, with its result. A second copy finds it here.
command = Table(
    "command",
    metadata,
    id_column(),
    words("source", nullable=False),
    words("type", nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    words("status", nullable=False),
    words("replyto"),
    # The envelope of the result, as the text that was published.
    words("result", nullable=False),
    Column("finished", Instant, nullable=False),
    Index(None, "finished"),
)

# One row a transaction, with all its events; published by the relay in the order of `id`.
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("created", Instant, nullable=False),
    # [[stream, envelope], ...]: JSON that nobody but the relay reads, so that PostgreSQL need not.
    words("entries", nullable=False),
    Column("published", Instant),
    Index("ix_outbox_waiting", "id", postgresql_where=text("published IS NULL")),
    Index("ix_outbox_published", "published", postgresql_where=text("published IS NOT NULL")),
)

# Results of a transaction that have not been seen to reach Redis: the worker removes its row after publishing.
unpublished_results = Table(
    "unpublished_results",
    metadata,
    id_column(),
    Column("created", Instant, nullable=False),
    Column("command_ids", ARRAY(Uuid), nullable=False),
)

# The number that comes next, for each source and partition key.
sequence_position = Table(
    "sequence_position",
    metadata,
    Column("source", Text, primary_key=True),
    Column("partitionkey", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
    Column("updated", Instant, nullable=False),
    CheckConstraint("next >= 1", name="next"),
    Index(None, "updated"),
)

# Commands that came before their turn.
parked_command = Table(
    "parked_command",
    metadata,
    id_column(),
    words("source", nullable=False),
    words("partitionkey", nullable=False),
    Column("sequence", BigInteger, nullable=False),
    *_as_admitted(),
    Column("parked", Instant, nullable=False),
    Index("uq_parked_command_turn", "source", "partitionkey", "sequence", unique=True),
    Index(None, "parked"),
)

# What could not be read or was given up: kept as it came, until somebody decides.
dead_letter = Table(
    "dead_letter",
    metadata,
    id_column(),
    Column("created", Instant, nullable=False),
    words("queue", nullable=False),
    words("reason", nullable=False),
    Column("command_id", Uuid),
    words("type"),
    words("source"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("body", LargeBinary, nullable=False),
    # Since when it is to be put onto its queue again: the clock does it, and the letter is gone.
    Column("replayed", Instant),
    Index(None, "created"),
    Index(None, "replayed", postgresql_where=text("replayed IS NOT NULL")),
)

# Commands that are to be tried again: they failed by themselves, took a worker with them, or were told to wait.
# Gone when they end. One whose turn it is by its number is parked as well, so that its turn stays its own.
attempt = Table(
    "attempt",
    metadata,
    Column("command_id", Uuid, primary_key=True),
    # How often it failed, counted before a try that nobody may survive.
    Column("attempts", Integer, nullable=False),
    # How often the rules told it to wait. 0 and no attempts: suspected, and not yet tried alone.
    Column("waits", Integer, nullable=False, server_default=text("0")),
    Column("since", Instant, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    # A worker is trying it, or died while it did.
    Column("in_hand", Boolean, nullable=False, server_default=text("false")),
    words("last_error"),
    words("wait_reason"),
    # The run that it waits for, if the rules told it to wait.
    Column("run_id", Uuid),
    *_as_admitted(),
    # Its turn was taken when it was given up: replayed, it is applied without one.
    Column("out_of_turn", Boolean, nullable=False, server_default=text("false")),
    Index(None, "next_attempt_at"),
    Index(None, "run_id", postgresql_where=text("run_id IS NOT NULL")),
)
