"""What all tables share: the metadata, and the kinds of column."""

from sqlalchemy import Column, DateTime, MetaData, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Instant = DateTime(timezone=True)


def id_column() -> Column:  # type: ignore[type-arg]
    """The primary key: a UUID that the caller makes."""
    return Column("id", Uuid, primary_key=True)


def stamps() -> list[Column]:  # type: ignore[type-arg]
    """When a row was made and last changed."""
    return [Column("created", Instant, nullable=False), Column("updated", Instant, nullable=False)]


def json_object(name: str, *, nullable: bool = False) -> Column:  # type: ignore[type-arg]
    """A JSON object, `{}` unless given."""
    return Column(name, JSONB, nullable=nullable, server_default=None if nullable else text("'{}'::jsonb"))


def json_list(name: str) -> Column:  # type: ignore[type-arg]
    """A JSON list, `[]` unless given."""
    return Column(name, JSONB, nullable=False, server_default=text("'[]'::jsonb"))


def words(name: str, *, nullable: bool = True) -> Column:  # type: ignore[type-arg]
    """A text."""
    return Column(name, Text, nullable=nullable)
