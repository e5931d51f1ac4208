"""Limits with what is taken of them, and lists of notification policies. Changes nothing, locks nothing."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select

from messages.catalog import ConcurrencyLimit, NotificationPolicy
from messages.fields import Id
from store.tables.catalog import notification_policy
from store.tables.limits import concurrency_limit, concurrency_slot
from store.transaction import Connection


def limit_with_id(connection: Connection, limit_id: Id, now: datetime) -> ConcurrencyLimit | None:
    """A concurrency limit, if there is one with this id."""
    return _limit(connection, concurrency_limit.c.id == limit_id, now)


def limit_named(connection: Connection, name: str, now: datetime) -> ConcurrencyLimit | None:
    """A concurrency limit, if there is one of this name."""
    return _limit(connection, concurrency_limit.c.name == name, now)


def _limit(connection: Connection, which: ColumnElement[bool], now: datetime) -> ConcurrencyLimit | None:
    """Leases that have expired hold nothing, whether or not they have been cleared away."""
    slot = concurrency_slot.c
    held = select(func.coalesce(func.sum(slot.slots), 0)).where(
        slot.limit_id == concurrency_limit.c.id, or_(slot.expires_at.is_(None), slot.expires_at > now)
    )
    query = select(concurrency_limit, held.scalar_subquery().label("active_slots")).where(which)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else ConcurrencyLimit(**row)


def policies(
    connection: Connection, *, policy_id: Id | None, is_active: bool | None, offset: int, limit: int
) -> list[NotificationPolicy]:
    """Notification policies in the order of their ids: all, one, or those that are (not) active."""
    query = select(notification_policy).order_by(notification_policy.c.id).offset(offset).limit(limit)
    if policy_id is not None:
        query = query.where(notification_policy.c.id == policy_id)
    if is_active is not None:
        query = query.where(notification_policy.c.is_active.is_(is_active))
    return [NotificationPolicy(**row) for row in connection.execute(query).mappings()]
