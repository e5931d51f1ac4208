"""What surrounds the runs: flows, deployments, work pools and queues, notification policies."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from store.tables.metadata import id_column, json_list, json_object, metadata, stamps, words

flow = Table(
    "flow",
    metadata,
    id_column(),
    *stamps(),
    words("name", nullable=False),
    json_list("tags"),
    json_object("labels"),
    UniqueConstraint("name"),
)

work_pool = Table(
    "work_pool",
    metadata,
    id_column(),
    *stamps(),
    words("name", nullable=False),
    Column("concurrency_limit", Integer),
    Column("is_paused", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("name"),
    CheckConstraint("concurrency_limit >= 0", name="concurrency_limit"),
)

work_queue = Table(
    "work_queue",
    metadata,
    id_column(),
    *stamps(),
    words("name", nullable=False),
    Column("work_pool_id", Uuid, ForeignKey("work_pool.id", ondelete="CASCADE"), nullable=False),
    Column("priority", Integer, nullable=False, server_default=text("1")),
    Column("concurrency_limit", Integer),
    Column("is_paused", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("work_pool_id", "name"),
    CheckConstraint("concurrency_limit >= 0", name="concurrency_limit"),
)

deployment = Table(
    "deployment",
    metadata,
    id_column(),
    *stamps(),
    words("name", nullable=False),
    Column("flow_id", Uuid, ForeignKey("flow.id", ondelete="CASCADE"), nullable=False),
    words("version"),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("concurrency_limit_id", Uuid, ForeignKey("concurrency_limit.id", ondelete="SET NULL")),
    json_object("concurrency_options", nullable=True),
    Column("work_queue_id", Uuid, ForeignKey("work_queue.id", ondelete="SET NULL")),
    words("work_queue_name"),
    words("work_pool_name"),
    json_list("tags"),
    json_object("labels"),
    json_object("parameters"),
    json_object("job_variables"),
    UniqueConstraint("flow_id", "name"),
    Index(None, "concurrency_limit_id", postgresql_where=text("concurrency_limit_id IS NOT NULL")),
)

notification_policy = Table(
    "notification_policy",
    metadata,
    id_column(),
    *stamps(),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    json_list("state_names"),
    json_list("tags"),
    words("notify", nullable=False),
    words("message_template"),
)
