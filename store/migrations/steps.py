"""Steps of migrations that hold nobody up, and can be taken again after being killed half way."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

_IS_BROKEN = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"


def create_index_concurrently(
    name: str, table: str, columns: Sequence[str], *, unique: bool = False, where: str | None = None
) -> None:
    """An index on a large table, made while others read and write it.

    It cannot be part of a transaction: what came before it in the migration is committed by it, and has to be such
    that it can be done again. What a broken attempt has left is removed first.
    """
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        # It blocks nobody while it waits, and what it waits for may take as long as the longest transaction.
        connection.execute(text("SET lock_timeout = 0"))
        if connection.scalar(text(_IS_BROKEN), {"name": name}):
            op.drop_index(name, table_name=table, postgresql_concurrently=True)
        op.create_index(
            name,
            table,
            list(columns),
            unique=unique,
            if_not_exists=True,
            postgresql_concurrently=True,
            postgresql_where=None if where is None else text(where),
        )
