"""What the database says about its own schema, beside alembic's table."""

from sqlalchemy import Column, Table, Text
from sqlalchemy.dialects.postgresql import JSON

from store.tables.metadata import metadata

# For each migration that was run: the schemas whose code works with the database after it, a list of texts.
schema_compatibility = Table(
    "schema_compatibility",
    metadata,
    Column("revision", Text, primary_key=True),
    Column("works_with", JSON, nullable=False),
)
