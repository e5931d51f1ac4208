"""Flow runs, task runs, their states, and what they leave."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from messages.states import StateType
from store.tables.metadata import Instant, id_column, json_list, json_object, metadata, stamps, words

_TYPES = ", ".join(f"'{state_type}'" for state_type in StateType)
#: A run is in motion while it has no state or one of these, which pass. In any other it is at rest.
IN_MOTION = frozenset({StateType.PENDING, StateType.RUNNING, StateType.CANCELLING})
_AT_REST_TYPES = ", ".join(f"'{each}'::text" for each in StateType if each not in IN_MOTION)
_AT_REST = text("resting_type IS NOT NULL")
# Few runs are, so that an index of these alone costs the others nothing.
_UNSUCCESSFUL: dict[str, Any] = {
    "postgresql_where": text("resting_type IN ('FAILED', 'CRASHED', 'CANCELLED')")
}
#: In bytes: a longer text does not fit into an index.
LONGEST_INDEXED = 2_000
# So that runs in other states are passed over, or counted, without a look at the table.
_WITH_TYPE: dict[str, Any] = {"postgresql_include": ["resting_type"]}
# Rows of these tables change often: room on the page keeps those changes off the indexes (HOT updates), as long
# as no index names a column that changes while a run moves on (see docs/decisions).
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


def _fits(column: str) -> str:
    return f"octet_length({column}) <= {LONGEST_INDEXED}"


_NAMES_OF_TYPES: dict[type[TypeEngine[Any]], str] = {
    Text: "text",
    Boolean: "boolean",
    DateTime: "timestamp with time zone",
}


def _resting(name: str, kind: TypeEngine[Any], value: str, *, condition: str = "") -> Column[Any]:
    """What indexes see of a column that changes: its value while the run is at rest, else null."""
    # As PostgreSQL writes it back, so that tables and migrations can be compared.
    nothing = f"NULL::{_NAMES_OF_TYPES[type(kind)]}"
    when = f"state_type = ANY (ARRAY[{_AT_REST_TYPES}]){condition}"
    return Column(name, kind, Computed(f"CASE WHEN {when} THEN {value} ELSE {nothing} END", persisted=True))


def _for_lists(table: str) -> list[Column | Index]:  # type: ignore[type-arg]
    """What lists and counts find runs by: the same for flow runs and task runs (see docs/decisions)."""
    return [
        _resting("resting_type", Text(), "state_type"),
        _resting("resting_name", Text(), "state_name", condition=f" AND {_fits('state_name')}"),
        _resting("resting_expected_start", Instant, "expected_start_time"),
        Index(f"ix_{table}_type", "resting_type", "id"),
        # Without the id, equal entries share their key: half as much to read where nothing but a number is asked.
        Index(f"ix_{table}_unsuccessful", "resting_type", **_UNSUCCESSFUL),
        Index(
            f"ix_{table}_unsuccessful_expected_start",
            "resting_type",
            "resting_expected_start",
            **_UNSUCCESSFUL,
        ),
        Index(
            f"ix_{table}_state_name",
            "resting_name",
            "id",
            postgresql_where=text("resting_name IS NOT NULL"),
            **_WITH_TYPE,
        ),
        _by_time(table, "expected_start", "resting_expected_start"),
        Index(f"ix_{table}_end", "end_time", "id"),
        Index(
            f"ix_{table}_next",
            "next_scheduled_start_time",
            "id",
            postgresql_where=text("next_scheduled_start_time IS NOT NULL"),
        ),
        Index(
            f"ix_{table}_name",
            "name",
            "id",
            postgresql_where=text(f"resting_type IS NOT NULL AND {_fits('name')}"),
        ),
        Index(
            f"ix_{table}_long_name", "id", postgresql_where=text(f"octet_length(name) > {LONGEST_INDEXED}")
        ),
        Index(
            f"ix_{table}_tags",
            "tags",
            postgresql_using="gin",
            postgresql_ops={"tags": "jsonb_path_ops"},
            postgresql_where=_AT_REST,
        ),
    ]


def _by_time(table: str, name: str, column: str, *more: str) -> Index:
    known = ["resting_type", *more]
    return Index(f"ix_{table}_{name}", column, "id", postgresql_where=_AT_REST, postgresql_include=known)


def _if_given(column: str, *more: str, **options: Any) -> Index:
    return Index(None, column, *more, postgresql_where=text(f"{column} IS NOT NULL"), **options)


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
    _resting("resting_start", Instant, "coalesce(start_time, expected_start_time)"),
    # Whether that is when it started.
    _resting("resting_started", Boolean(), "start_time IS NOT NULL"),
    *_for_lists("flow_run"),
    _by_time("flow_run", "start", "resting_start", "resting_started"),
    CheckConstraint(f"state_type IN ({_TYPES})", name="state_type"),
    CheckConstraint("(state_type IS NULL) = (state_name IS NULL)", name="state_name"),
    CheckConstraint("idempotency_key <> ''", name="idempotency_key"),
    CheckConstraint("version >= 0 AND run_count >= 0", name="counts"),
    Index(
        "uq_flow_run_idempotency_key",
        "idempotency_key",
        "flow_id",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    Index(None, "flow_id", "id", **_WITH_TYPE),
    _if_given("deployment_id", "id", **_WITH_TYPE),
    _if_given("work_queue_id", "id"),
    Index(None, "work_queue_name", "id", postgresql_where=text(_fits("work_queue_name"))),
    _if_given("parent_task_run_id"),
    # What the clock looks for among subflow runs: few of them are not over.
    Index(
        "ix_flow_run_open_subflow",
        "id",
        postgresql_where=text(
            "parent_task_run_id IS NOT NULL AND (resting_type IS NULL OR resting_type IN ('SCHEDULED', 'PAUSED'))"
        ),
    ),
    Index("ix_flow_run_cancelled", "end_time", postgresql_where=text("resting_type = 'CANCELLED'")),
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
    *_for_lists("task_run"),
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
