"""Flow runs, task runs, their states, and what they leave."""

from typing import Any

from sqlalchemy import (
    BigInteger,
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
from sqlalchemy.dialects.postgresql import JSONB

from messages.states import TERMINAL, StateType
from store.tables.metadata import Instant, id_column, json_list, json_object, metadata, stamps, words

_TYPES = ", ".join(f"'{state_type}'" for state_type in StateType)
_UNFINISHED = ", ".join(f"'{state_type}'" for state_type in StateType if state_type not in TERMINAL)
# Rows of these tables change often: room on the page keeps those changes off the indexes (HOT updates).
_ROOM_FOR_CHANGES: dict[str, Any] = {"postgresql_with": {"fillfactor": 80}}


def _progress() -> list[Column]:  # type: ignore[type-arg]
    """What transitions record: the same for flow runs and task runs."""
    return [
        Column("run_count", Integer, nullable=False, server_default=text("0")),
        Column("start_time", Instant),
        Column("end_time", Instant),
        Column("expected_start_time", Instant),
        Column("next_scheduled_start_time", Instant),
        Column("total_run_time", Float(53), nullable=False, server_default=text("0")),
        Column("state_id", Uuid),
        words("state_type"),
        words("state_name"),
        Column("state_timestamp", Instant),
    ]


flow_run = Table(
    "flow_run",
    metadata,
    id_column(),
    *stamps(),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    words("name", nullable=False),
    Column("flow_id", Uuid, ForeignKey("flow.id", ondelete="CASCADE"), nullable=False),
    Column("deployment_id", Uuid),
    words("deployment_version"),
    words("flow_version"),
    Column("work_queue_id", Uuid, ForeignKey("work_queue.id", ondelete="SET NULL")),
    words("work_queue_name"),
    json_object("parameters"),
    json_object("context"),
    words("idempotency_key"),
    # Deferred: a batch may make a run, its task run and that one's subflow run at once.
    Column(
        "parent_task_run_id",
        Uuid,
        ForeignKey("task_run.id", ondelete="SET NULL", use_alter=True, deferrable=True, initially="DEFERRED"),
    ),
    Column("auto_scheduled", Boolean, nullable=False, server_default=text("false")),
    words("infrastructure_pid"),
    json_object("job_variables", nullable=True),
    json_object("created_by", nullable=True),
    json_list("tags"),
    json_object("labels"),
    json_object("empirical_policy"),
    *_progress(),
    UniqueConstraint("flow_id", "idempotency_key"),
    CheckConstraint(f"state_type IN ({_TYPES})", name="state_type"),
    CheckConstraint("(state_type IS NULL) = (state_name IS NULL)", name="state_name"),
    CheckConstraint("idempotency_key <> ''", name="idempotency_key"),
    CheckConstraint("version >= 0 AND run_count >= 0", name="counts"),
    # What the clock looks for: few of all runs are in these states.
    Index(
        "ix_flow_run_scheduled",
        "next_scheduled_start_time",
        postgresql_where=text("state_type = 'SCHEDULED'"),
    ),
    Index("ix_flow_run_paused", "id", postgresql_where=text("state_type = 'PAUSED'")),
    # Counted by whoever watches, however many runs have ended.
    Index("ix_flow_run_unfinished", "state_type", postgresql_where=text(f"state_type IN ({_UNFINISHED})")),
    Index("ix_flow_run_cancelled", "end_time", postgresql_where=text("state_type = 'CANCELLED'")),
    Index(None, "parent_task_run_id", postgresql_where=text("parent_task_run_id IS NOT NULL")),
    Index(None, "deployment_id", postgresql_where=text("deployment_id IS NOT NULL")),
    Index(None, "work_queue_id", postgresql_where=text("work_queue_id IS NOT NULL")),
    **_ROOM_FOR_CHANGES,
)

task_run = Table(
    "task_run",
    metadata,
    id_column(),
    *stamps(),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    words("name", nullable=False),
    Column("flow_run_id", Uuid, ForeignKey("flow_run.id", ondelete="CASCADE")),
    words("task_key", nullable=False),
    words("dynamic_key", nullable=False),
    words("cache_key"),
    Column("cache_expiration", Instant),
    words("task_version"),
    Column("flow_run_run_count", Integer, nullable=False, server_default=text("0")),
    json_object("task_inputs"),
    json_list("tags"),
    json_object("labels"),
    json_object("empirical_policy"),
    *_progress(),
    CheckConstraint(f"state_type IN ({_TYPES})", name="state_type"),
    CheckConstraint("(state_type IS NULL) = (state_name IS NULL)", name="state_name"),
    CheckConstraint("version >= 0 AND run_count >= 0", name="counts"),
    Index("uq_task_run_keys", "flow_run_id", "task_key", "dynamic_key", unique=True),
    # A task run of no flow run is unique by its keys too.
    Index(
        "uq_task_run_keys_alone",
        "task_key",
        "dynamic_key",
        unique=True,
        postgresql_where=text("flow_run_id IS NULL"),
    ),
    **_ROOM_FOR_CHANGES,
)


def _state_table(name: str, run: str) -> Table:
    return Table(
        name,
        metadata,
        id_column(),
        Column(f"{run}_id", Uuid, ForeignKey(f"{run}.id", ondelete="CASCADE"), nullable=False),
        words("type", nullable=False),
        words("name", nullable=False),
        Column("timestamp", Instant, nullable=False),
        words("message"),
        json_object("state_details"),
        Column("result_artifact_id", Uuid),
        UniqueConstraint(f"{run}_id", "timestamp"),
        CheckConstraint(f"type IN ({_TYPES})", name="type"),
    )


flow_run_state = _state_table("flow_run_state", "flow_run")
task_run_state = _state_table("task_run_state", "task_run")

# Artifacts outlive their runs: no foreign keys.
artifact = Table(
    "artifact",
    metadata,
    id_column(),
    *stamps(),
    words("key"),
    words("type"),
    Column("data", JSONB),
    words("description"),
    Column("flow_run_id", Uuid),
    Column("task_run_id", Uuid),
    Index(None, "key", "created", postgresql_where=text("key IS NOT NULL")),
    Index(None, "flow_run_id", postgresql_where=text("flow_run_id IS NOT NULL")),
)

task_run_cache = Table(
    "task_run_cache",
    metadata,
    id_column(),
    Column("created", Instant, nullable=False),
    words("cache_key", nullable=False),
    Column("cache_expiration", Instant),
    Column("task_run_state_id", Uuid, nullable=False),
    Index(None, "cache_key", "created"),
)
