"""Concurrency limits and who holds their slots. A slot is a row; what is taken is a sum (see docs/decisions)."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from store.tables.metadata import Instant, id_column, metadata, stamps, words

HOLDER_KINDS = ("flow_run", "task_run", "lease")

concurrency_limit = Table(
    "concurrency_limit",
    metadata,
    id_column(),
    *stamps(),
    words("name", nullable=False),
    Column("limit", Integer, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("denied_slots", Integer, nullable=False, server_default=text("0")),
    Column("slot_decay_per_second", Float(53), nullable=False, server_default=text("0")),
    Column("avg_slot_occupancy_seconds", Float(53), nullable=False, server_default=text("2.0")),
    UniqueConstraint("name"),
    CheckConstraint('"limit" >= 0 AND denied_slots >= 0', name="counts"),
)

# Holders are flow runs, task runs or leases; the run's deletion frees its slots (in the same transaction).
concurrency_slot = Table(
    "concurrency_slot",
    metadata,
    id_column(),
    Column("limit_id", Uuid, ForeignKey("concurrency_limit.id", ondelete="CASCADE"), nullable=False),
    words("holder_kind", nullable=False),
    Column("flow_run_id", Uuid, ForeignKey("flow_run.id", ondelete="CASCADE")),
    Column("task_run_id", Uuid, ForeignKey("task_run.id", ondelete="CASCADE")),
    Column("lease_id", Uuid),
    Column("slots", Integer, nullable=False),
    Column("acquired_at", Instant, nullable=False),
    Column("expires_at", Instant),
    UniqueConstraint("limit_id", "flow_run_id"),
    UniqueConstraint("limit_id", "task_run_id"),
    UniqueConstraint("limit_id", "lease_id"),
    CheckConstraint("slots > 0", name="slots"),
    CheckConstraint("num_nonnulls(flow_run_id, task_run_id, lease_id) = 1", name="one_holder"),
    CheckConstraint(f"holder_kind IN {HOLDER_KINDS}", name="holder_kind"),
    Index(None, "flow_run_id", postgresql_where=text("flow_run_id IS NOT NULL")),
    Index(None, "task_run_id", postgresql_where=text("task_run_id IS NOT NULL")),
    Index(None, "lease_id", postgresql_where=text("lease_id IS NOT NULL")),
    Index(None, "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)
