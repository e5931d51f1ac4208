"""Commands that were taken in and have not ended."""

from sqlalchemy import exists, or_, select

from messages.fields import Id
from store.tables.delivery import attempt, parked_command
from store.transaction import Connection


def is_waiting(connection: Connection, command_id: Id) -> bool:
    """Whether the command is parked until its turn comes, or is to be tried again."""
    tried = exists().where(attempt.c.command_id == command_id)
    parked = exists().where(parked_command.c.id == command_id)
    return bool(connection.execute(select(or_(tried, parked))).scalar_one())
