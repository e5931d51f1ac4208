"""Where alembic finds the connection and the tables, and what is noted with each migration."""

import json
from typing import Any

from alembic import context
from sqlalchemy import text

from store.tables.all import metadata

_NOTE = """
INSERT INTO schema_compatibility (revision, works_with) VALUES (:revision, CAST(:works_with AS json))
ON CONFLICT (revision) DO UPDATE SET works_with = excluded.works_with
"""


def _note(ctx: Any, step: Any, heads: Any, run_args: Any) -> None:
    """In the migration's own transaction: which older code still works, for code that does not know it."""
    revision = step.up_revision_id
    works_with = context.config.attributes["works_with"](revision)
    ctx.connection.execute(text(_NOTE), {"revision": revision, "works_with": json.dumps(works_with)})


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=True,
    on_version_apply=_note,
)
with context.begin_transaction():
    context.run_migrations()
