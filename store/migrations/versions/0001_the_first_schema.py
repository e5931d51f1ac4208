"""the first schema"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
oldest = "0001"


def upgrade() -> None:
    op.create_table(
        "schema_compatibility",
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("works_with", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_schema_compatibility")),
    )
    op.create_table(
        "artifact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("task_run_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact")),
    )
    op.create_index(
        op.f("ix_artifact_flow_run_id"),
        "artifact",
        ["flow_run_id"],
        unique=False,
        postgresql_where=sa.text("flow_run_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_artifact_key_created"),
        "artifact",
        ["key", "created"],
        unique=False,
        postgresql_where=sa.text("key IS NOT NULL"),
    )
    op.create_table(
        "attempt",
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("waits", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_hand", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("wait_reason", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("envelope", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("refusal", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("out_of_turn", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_attempt")),
    )
    op.create_index(op.f("ix_attempt_next_attempt_at"), "attempt", ["next_attempt_at"], unique=False)
    op.create_index(
        op.f("ix_attempt_run_id"),
        "attempt",
        ["run_id"],
        unique=False,
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.create_table(
        "command",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("replyto", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    op.create_index(op.f("ix_command_finished"), "command", ["finished"], unique=False)
    op.create_table(
        "concurrency_limit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("denied_slots", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "slot_decay_per_second", sa.Float(precision=53), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "avg_slot_occupancy_seconds",
            sa.Float(precision=53),
            server_default=sa.text("2.0"),
            nullable=False,
        ),
        sa.CheckConstraint('"limit" >= 0 AND denied_slots >= 0', name=op.f("ck_concurrency_limit_counts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concurrency_limit")),
        sa.UniqueConstraint("name", name=op.f("uq_concurrency_limit_name")),
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("command_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("replayed", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
    )
    op.create_index(op.f("ix_dead_letter_created"), "dead_letter", ["created"], unique=False)
    op.create_index(
        op.f("ix_dead_letter_replayed"),
        "dead_letter",
        ["replayed"],
        unique=False,
        postgresql_where=sa.text("replayed IS NOT NULL"),
    )
    op.create_table(
        "flow",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "tags",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "labels",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow")),
        sa.UniqueConstraint("name", name=op.f("uq_flow_name")),
    )
    op.create_table(
        "notification_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "state_names",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "tags",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("notify", sa.Text(), nullable=False),
        sa.Column("message_template", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_policy")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries", sa.Text(), nullable=False),
        sa.Column("published", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_published",
        "outbox",
        ["published"],
        unique=False,
        postgresql_where=sa.text("published IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_waiting", "outbox", ["id"], unique=False, postgresql_where=sa.text("published IS NULL")
    )
    op.create_table(
        "parked_command",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("partitionkey", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("envelope", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("refusal", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("parked", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked_command")),
    )
    op.create_index(op.f("ix_parked_command_parked"), "parked_command", ["parked"], unique=False)
    op.create_index(
        "uq_parked_command_turn", "parked_command", ["source", "partitionkey", "sequence"], unique=True
    )
    op.create_table(
        "sequence_position",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("partitionkey", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("next >= 1", name=op.f("ck_sequence_position_next")),
        sa.PrimaryKeyConstraint("source", "partitionkey", name=op.f("pk_sequence_position")),
    )
    op.create_index(op.f("ix_sequence_position_updated"), "sequence_position", ["updated"], unique=False)
    op.create_table(
        "task_run_cache",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cache_key", sa.Text(), nullable=False),
        sa.Column("cache_expiration", sa.DateTime(timezone=True), nullable=True),
        sa.Column("task_run_state_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_run_cache")),
    )
    op.create_index(
        op.f("ix_task_run_cache_cache_key_created"), "task_run_cache", ["cache_key", "created"], unique=False
    )
    op.create_table(
        "unpublished_results",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("command_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unpublished_results")),
    )
    op.create_table(
        "work_pool",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("concurrency_limit", sa.Integer(), nullable=True),
        sa.Column("is_paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("concurrency_limit >= 0", name=op.f("ck_work_pool_concurrency_limit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_pool")),
        sa.UniqueConstraint("name", name=op.f("uq_work_pool_name")),
    )
    op.create_table(
        "work_queue",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("work_pool_id", sa.Uuid(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("concurrency_limit", sa.Integer(), nullable=True),
        sa.Column("is_paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("concurrency_limit >= 0", name=op.f("ck_work_queue_concurrency_limit")),
        sa.ForeignKeyConstraint(
            ["work_pool_id"], ["work_pool.id"], name=op.f("fk_work_queue_work_pool_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_queue")),
        sa.UniqueConstraint("work_pool_id", "name", name=op.f("uq_work_queue_work_pool_id_name")),
    )
    op.create_table(
        "deployment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("flow_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("concurrency_limit_id", sa.Uuid(), nullable=True),
        sa.Column("concurrency_options", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("work_queue_id", sa.Uuid(), nullable=True),
        sa.Column("work_queue_name", sa.Text(), nullable=True),
        sa.Column("work_pool_name", sa.Text(), nullable=True),
        sa.Column(
            "tags",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "labels",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "parameters",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "job_variables",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["concurrency_limit_id"],
            ["concurrency_limit.id"],
            name=op.f("fk_deployment_concurrency_limit_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["flow_id"], ["flow.id"], name=op.f("fk_deployment_flow_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["work_queue_id"],
            ["work_queue.id"],
            name=op.f("fk_deployment_work_queue_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
        sa.UniqueConstraint("flow_id", "name", name=op.f("uq_deployment_flow_id_name")),
    )
    op.create_index(
        op.f("ix_deployment_concurrency_limit_id"),
        "deployment",
        ["concurrency_limit_id"],
        unique=False,
        postgresql_where=sa.text("concurrency_limit_id IS NOT NULL"),
    )
    op.create_table(
        "flow_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("flow_id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=True),
        sa.Column("deployment_version", sa.Text(), nullable=True),
        sa.Column("flow_version", sa.Text(), nullable=True),
        sa.Column("work_queue_id", sa.Uuid(), nullable=True),
        sa.Column("work_queue_name", sa.Text(), nullable=True),
        sa.Column(
            "parameters",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "context",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("parent_task_run_id", sa.Uuid(), nullable=True),
        sa.Column("auto_scheduled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("infrastructure_pid", sa.Text(), nullable=True),
        sa.Column("job_variables", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "tags",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "labels",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "empirical_policy",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("run_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expected_start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_scheduled_start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total_run_time", sa.Float(precision=53), server_default=sa.text("0"), nullable=False),
        sa.Column("state_id", sa.Uuid(), nullable=True),
        sa.Column("state_type", sa.Text(), nullable=True),
        sa.Column("state_name", sa.Text(), nullable=True),
        sa.Column("state_timestamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "resting_start",
            sa.DateTime(timezone=True),
            sa.Computed(
                "CASE WHEN state_type = ANY (ARRAY['SCHEDULED'::text, 'PAUSED'::text, 'COMPLETED'::text, 'FAILED'::text, 'CRASHED'::text, 'CANCELLED'::text]) THEN coalesce(start_time, expected_start_time) ELSE NULL::timestamp with time zone END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column(
            "resting_started",
            sa.Boolean(),
            sa.Computed(
                "CASE WHEN state_type = ANY (ARRAY['SCHEDULED'::text, 'PAUSED'::text, 'COMPLETED'::text, 'FAILED'::text, 'CRASHED'::text, 'CANCELLED'::text]) THEN start_time IS NOT NULL ELSE NULL::boolean END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column(
            "resting_type",
            sa.Text(),
            sa.Computed(
                "CASE WHEN state_type = ANY (ARRAY['SCHEDULED'::text, 'PAUSED'::text, 'COMPLETED'::text, 'FAILED'::text, 'CRASHED'::text, 'CANCELLED'::text]) THEN state_type ELSE NULL::text END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column(
            "resting_name",
            sa.Text(),
            sa.Computed(
                "CASE WHEN state_type = ANY (ARRAY['SCHEDULED'::text, 'PAUSED'::text, 'COMPLETED'::text, 'FAILED'::text, 'CRASHED'::text, 'CANCELLED'::text]) AND octet_length(state_name) <= 2000 THEN state_name ELSE NULL::text END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column(
            "resting_expected_start",
            sa.DateTime(timezone=True),
            sa.Computed(
                "CASE WHEN state_type = ANY (ARRAY['SCHEDULED'::text, 'PAUSED'::text, 'COMPLETED'::text, 'FAILED'::text, 'CRASHED'::text, 'CANCELLED'::text]) THEN expected_start_time ELSE NULL::timestamp with time zone END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("idempotency_key <> ''", name=op.f("ck_flow_run_idempotency_key")),
        sa.CheckConstraint(
            "state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING', 'COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')",
            name=op.f("ck_flow_run_state_type"),
        ),
        sa.CheckConstraint(
            "(state_type IS NULL) = (state_name IS NULL)", name=op.f("ck_flow_run_state_name")
        ),
        sa.CheckConstraint("version >= 0 AND run_count >= 0", name=op.f("ck_flow_run_counts")),
        sa.ForeignKeyConstraint(
            ["flow_id"], ["flow.id"], name=op.f("fk_flow_run_flow_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["work_queue_id"], ["work_queue.id"], name=op.f("fk_flow_run_work_queue_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_run")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "ix_flow_run_cancelled",
        "flow_run",
        ["end_time"],
        unique=False,
        postgresql_where=sa.text("resting_type = 'CANCELLED'"),
    )
    op.create_index(
        "ix_flow_run_deployment_id_id",
        "flow_run",
        ["deployment_id", "id"],
        unique=False,
        postgresql_include=["resting_type"],
        postgresql_where=sa.text("deployment_id IS NOT NULL"),
    )
    op.create_index("ix_flow_run_end", "flow_run", ["end_time", "id"], unique=False)
    op.create_index(
        "ix_flow_run_expected_start",
        "flow_run",
        ["resting_expected_start", "id"],
        unique=False,
        postgresql_include=["resting_type"],
        postgresql_where=sa.text("resting_type IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_run_flow_id_id",
        "flow_run",
        ["flow_id", "id"],
        unique=False,
        postgresql_include=["resting_type"],
    )
    op.create_index(
        "ix_flow_run_long_name",
        "flow_run",
        ["id"],
        unique=False,
        postgresql_where=sa.text("octet_length(name) > 2000"),
    )
    op.create_index(
        "ix_flow_run_name",
        "flow_run",
        ["name", "id"],
        unique=False,
        postgresql_where=sa.text("resting_type IS NOT NULL AND octet_length(name) <= 2000"),
    )
    op.create_index(
        "ix_flow_run_next",
        "flow_run",
        ["next_scheduled_start_time", "id"],
        unique=False,
        postgresql_where=sa.text("next_scheduled_start_time IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_run_open_subflow",
        "flow_run",
        ["id"],
        unique=False,
        postgresql_where=sa.text(
            "parent_task_run_id IS NOT NULL AND (resting_type IS NULL OR resting_type IN ('SCHEDULED', 'PAUSED'))"
        ),
    )
    op.create_index(
        "ix_flow_run_parent_task_run_id",
        "flow_run",
        ["parent_task_run_id"],
        unique=False,
        postgresql_where=sa.text("parent_task_run_id IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_run_start",
        "flow_run",
        ["resting_start", "id"],
        unique=False,
        postgresql_include=["resting_type", "resting_started"],
        postgresql_where=sa.text("resting_type IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_run_state_name",
        "flow_run",
        ["resting_name", "id"],
        unique=False,
        postgresql_include=["resting_type"],
        postgresql_where=sa.text("resting_name IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_run_tags",
        "flow_run",
        ["tags"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"tags": "jsonb_path_ops"},
        postgresql_where=sa.text("resting_type IS NOT NULL"),
    )
    op.create_index("ix_flow_run_type", "flow_run", ["resting_type", "id"], unique=False)
    op.create_index(
        "ix_flow_run_unsuccessful",
        "flow_run",
        ["resting_type"],
        unique=False,
        postgresql_where=sa.text("resting_type IN ('FAILED', 'CRASHED', 'CANCELLED')"),
    )
    op.create_index(
        "ix_flow_run_unsuccessful_expected_start",
        "flow_run",
        ["resting_type", "resting_expected_start"],
        unique=False,
        postgresql_where=sa.text("resting_type IN ('FAILED', 'CRASHED', 'CANCELLED')"),
    )
    op.create_index(
        "ix_flow_run_work_queue_id_id",
        "flow_run",
        ["work_queue_id", "id"],
        unique=False,
        postgresql_where=sa.text("work_queue_id IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_run_work_queue_name_id",
        "flow_run",
        ["work_queue_name", "id"],
        unique=False,
        postgresql_where=sa.text("octet_length(work_queue_name) <= 2000"),
    )
    op.create_index(
        "uq_flow_run_idempotency_key",
        "flow_run",
        ["idempotency_key", "flow_id"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_table(
        "flow_run_state",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column(
            "state_details",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("result_artifact_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING', 'COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')",
            name=op.f("ck_flow_run_state_type"),
        ),
        sa.ForeignKeyConstraint(
            ["flow_run_id"], ["flow_run.id"], name=op.f("fk_flow_run_state_flow_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_run_state")),
        sa.UniqueConstraint("flow_run_id", "timestamp", name=op.f("uq_flow_run_state_flow_run_id_timestamp")),
    )
    op.create_table(
        "task_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("task_key", sa.Text(), nullable=False),
        sa.Column("dynamic_key", sa.Text(), nullable=False),
        sa.Column("cache_key", sa.Text(), nullable=True),
        sa.Column("cache_expiration", sa.DateTime(timezone=True), nullable=True),
        sa.Column("task_version", sa.Text(), nullable=True),
        sa.Column("flow_run_run_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "task_inputs",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "tags",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "labels",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "empirical_policy",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("run_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expected_start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_scheduled_start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total_run_time", sa.Float(precision=53), server_default=sa.text("0"), nullable=False),
        sa.Column("state_id", sa.Uuid(), nullable=True),
        sa.Column("state_type", sa.Text(), nullable=True),
        sa.Column("state_name", sa.Text(), nullable=True),
        sa.Column("state_timestamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "resting_type",
            sa.Text(),
            sa.Computed(
                "CASE WHEN state_type = ANY (ARRAY['SCHEDULED'::text, 'PAUSED'::text, 'COMPLETED'::text, 'FAILED'::text, 'CRASHED'::text, 'CANCELLED'::text]) THEN state_type ELSE NULL::text END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column(
            "resting_name",
            sa.Text(),
            sa.Computed(
                "CASE WHEN state_type = ANY (ARRAY['SCHEDULED'::text, 'PAUSED'::text, 'COMPLETED'::text, 'FAILED'::text, 'CRASHED'::text, 'CANCELLED'::text]) AND octet_length(state_name) <= 2000 THEN state_name ELSE NULL::text END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column(
            "resting_expected_start",
            sa.DateTime(timezone=True),
            sa.Computed(
                "CASE WHEN state_type = ANY (ARRAY['SCHEDULED'::text, 'PAUSED'::text, 'COMPLETED'::text, 'FAILED'::text, 'CRASHED'::text, 'CANCELLED'::text]) THEN expected_start_time ELSE NULL::timestamp with time zone END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING', 'COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')",
            name=op.f("ck_task_run_state_type"),
        ),
        sa.CheckConstraint(
            "(state_type IS NULL) = (state_name IS NULL)", name=op.f("ck_task_run_state_name")
        ),
        sa.CheckConstraint("version >= 0 AND run_count >= 0", name=op.f("ck_task_run_counts")),
        sa.ForeignKeyConstraint(
            ["flow_run_id"], ["flow_run.id"], name=op.f("fk_task_run_flow_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_run")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("ix_task_run_end", "task_run", ["end_time", "id"], unique=False)
    op.create_index(
        "ix_task_run_expected_start",
        "task_run",
        ["resting_expected_start", "id"],
        unique=False,
        postgresql_include=["resting_type"],
        postgresql_where=sa.text("resting_type IS NOT NULL"),
    )
    op.create_index(
        "ix_task_run_long_name",
        "task_run",
        ["id"],
        unique=False,
        postgresql_where=sa.text("octet_length(name) > 2000"),
    )
    op.create_index(
        "ix_task_run_name",
        "task_run",
        ["name", "id"],
        unique=False,
        postgresql_where=sa.text("resting_type IS NOT NULL AND octet_length(name) <= 2000"),
    )
    op.create_index(
        "ix_task_run_next",
        "task_run",
        ["next_scheduled_start_time", "id"],
        unique=False,
        postgresql_where=sa.text("next_scheduled_start_time IS NOT NULL"),
    )
    op.create_index(
        "ix_task_run_state_name",
        "task_run",
        ["resting_name", "id"],
        unique=False,
        postgresql_include=["resting_type"],
        postgresql_where=sa.text("resting_name IS NOT NULL"),
    )
    op.create_index(
        "ix_task_run_tags",
        "task_run",
        ["tags"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"tags": "jsonb_path_ops"},
        postgresql_where=sa.text("resting_type IS NOT NULL"),
    )
    op.create_index("ix_task_run_type", "task_run", ["resting_type", "id"], unique=False)
    op.create_index(
        "ix_task_run_unsuccessful",
        "task_run",
        ["resting_type"],
        unique=False,
        postgresql_where=sa.text("resting_type IN ('FAILED', 'CRASHED', 'CANCELLED')"),
    )
    op.create_index(
        "ix_task_run_unsuccessful_expected_start",
        "task_run",
        ["resting_type", "resting_expected_start"],
        unique=False,
        postgresql_where=sa.text("resting_type IN ('FAILED', 'CRASHED', 'CANCELLED')"),
    )
    op.create_index("uq_task_run_keys", "task_run", ["flow_run_id", "task_key", "dynamic_key"], unique=True)
    op.create_index(
        "uq_task_run_keys_alone",
        "task_run",
        ["task_key", "dynamic_key"],
        unique=True,
        postgresql_where=sa.text("flow_run_id IS NULL"),
    )
    op.create_table(
        "concurrency_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("limit_id", sa.Uuid(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("task_run_id", sa.Uuid(), nullable=True),
        sa.Column("lease_id", sa.Uuid(), nullable=True),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("acquired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "holder_kind IN ('flow_run', 'task_run', 'lease')", name=op.f("ck_concurrency_slot_holder_kind")
        ),
        sa.CheckConstraint(
            "num_nonnulls(flow_run_id, task_run_id, lease_id) = 1",
            name=op.f("ck_concurrency_slot_one_holder"),
        ),
        sa.CheckConstraint("slots > 0", name=op.f("ck_concurrency_slot_slots")),
        sa.ForeignKeyConstraint(
            ["flow_run_id"], ["flow_run.id"], name=op.f("fk_concurrency_slot_flow_run_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["limit_id"],
            ["concurrency_limit.id"],
            name=op.f("fk_concurrency_slot_limit_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["task_run_id"], ["task_run.id"], name=op.f("fk_concurrency_slot_task_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concurrency_slot")),
        sa.UniqueConstraint("limit_id", "flow_run_id", name=op.f("uq_concurrency_slot_limit_id_flow_run_id")),
        sa.UniqueConstraint("limit_id", "lease_id", name=op.f("uq_concurrency_slot_limit_id_lease_id")),
        sa.UniqueConstraint("limit_id", "task_run_id", name=op.f("uq_concurrency_slot_limit_id_task_run_id")),
    )
    op.create_index(
        op.f("ix_concurrency_slot_expires_at"),
        "concurrency_slot",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_concurrency_slot_flow_run_id"),
        "concurrency_slot",
        ["flow_run_id"],
        unique=False,
        postgresql_where=sa.text("flow_run_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_concurrency_slot_lease_id"),
        "concurrency_slot",
        ["lease_id"],
        unique=False,
        postgresql_where=sa.text("lease_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_concurrency_slot_task_run_id"),
        "concurrency_slot",
        ["task_run_id"],
        unique=False,
        postgresql_where=sa.text("task_run_id IS NOT NULL"),
    )
    op.create_table(
        "task_run_state",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_run_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column(
            "state_details",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("result_artifact_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING', 'COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')",
            name=op.f("ck_task_run_state_type"),
        ),
        sa.ForeignKeyConstraint(
            ["task_run_id"], ["task_run.id"], name=op.f("fk_task_run_state_task_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_run_state")),
        sa.UniqueConstraint("task_run_id", "timestamp", name=op.f("uq_task_run_state_task_run_id_timestamp")),
    )
    op.create_foreign_key(
        op.f("fk_flow_run_parent_task_run_id"),
        "flow_run",
        "task_run",
        ["parent_task_run_id"],
        ["id"],
        ondelete="SET NULL",
        initially="DEFERRED",
        deferrable=True,
    )
    # Events are written once and read once, a moment later: compressing them costs more than it saves.
    op.execute("ALTER TABLE outbox ALTER COLUMN entries SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_constraint(op.f("fk_flow_run_parent_task_run_id"), "flow_run", type_="foreignkey")
    op.drop_table("task_run_state")
    op.drop_index(
        op.f("ix_concurrency_slot_task_run_id"),
        table_name="concurrency_slot",
        postgresql_where=sa.text("task_run_id IS NOT NULL"),
    )
    op.drop_index(
        op.f("ix_concurrency_slot_lease_id"),
        table_name="concurrency_slot",
        postgresql_where=sa.text("lease_id IS NOT NULL"),
    )
    op.drop_index(
        op.f("ix_concurrency_slot_flow_run_id"),
        table_name="concurrency_slot",
        postgresql_where=sa.text("flow_run_id IS NOT NULL"),
    )
    op.drop_index(
        op.f("ix_concurrency_slot_expires_at"),
        table_name="concurrency_slot",
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.drop_table("concurrency_slot")
    op.drop_table("task_run")
    op.drop_table("flow_run_state")
    op.drop_table("flow_run")
    op.drop_index(
        op.f("ix_deployment_concurrency_limit_id"),
        table_name="deployment",
        postgresql_where=sa.text("concurrency_limit_id IS NOT NULL"),
    )
    op.drop_table("deployment")
    op.drop_table("work_queue")
    op.drop_table("work_pool")
    op.drop_table("unpublished_results")
    op.drop_index(op.f("ix_task_run_cache_cache_key_created"), table_name="task_run_cache")
    op.drop_table("task_run_cache")
    op.drop_index(op.f("ix_sequence_position_updated"), table_name="sequence_position")
    op.drop_table("sequence_position")
    op.drop_index("uq_parked_command_turn", table_name="parked_command")
    op.drop_index(op.f("ix_parked_command_parked"), table_name="parked_command")
    op.drop_table("parked_command")
    op.drop_index("ix_outbox_waiting", table_name="outbox", postgresql_where=sa.text("published IS NULL"))
    op.drop_index(
        "ix_outbox_published", table_name="outbox", postgresql_where=sa.text("published IS NOT NULL")
    )
    op.drop_table("outbox")
    op.drop_table("notification_policy")
    op.drop_table("flow")
    op.drop_index(
        op.f("ix_dead_letter_replayed"),
        table_name="dead_letter",
        postgresql_where=sa.text("replayed IS NOT NULL"),
    )
    op.drop_index(op.f("ix_dead_letter_created"), table_name="dead_letter")
    op.drop_table("dead_letter")
    op.drop_table("concurrency_limit")
    op.drop_index(op.f("ix_command_finished"), table_name="command")
    op.drop_table("command")
    op.drop_index(
        op.f("ix_attempt_run_id"), table_name="attempt", postgresql_where=sa.text("run_id IS NOT NULL")
    )
    op.drop_index(op.f("ix_attempt_next_attempt_at"), table_name="attempt")
    op.drop_table("attempt")
    op.drop_index(
        op.f("ix_artifact_key_created"), table_name="artifact", postgresql_where=sa.text("key IS NOT NULL")
    )
    op.drop_index(
        op.f("ix_artifact_flow_run_id"),
        table_name="artifact",
        postgresql_where=sa.text("flow_run_id IS NOT NULL"),
    )
    op.drop_table("artifact")
    op.drop_table("schema_compatibility")
