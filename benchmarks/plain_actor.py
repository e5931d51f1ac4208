"""The reference for `plain`: what one would write first. A dramatiq actor with an ORM session for each message.

It does a small part of what the real worker does: locks the run, writes the state, the run and the result, and
answers on a stream. No rules, no events, no repeats. Run by `dramatiq benchmarks.plain_actor`.
"""

import json
import os
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from messages.ids import uuid7

QUEUE = "plain"
DATABASE_VARIABLE, REDIS_VARIABLE = "BENCHMARK_DATABASE_URL", "BENCHMARK_REDIS_URL"


class Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSONB}  # noqa: RUF012 - SQLAlchemy's way


class Run(Base):
    __tablename__ = "run"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    run_count: Mapped[int] = mapped_column(default=0)
    state_type: Mapped[str | None]
    state_id: Mapped[UUID | None]
    start_time: Mapped[datetime | None]
    end_time: Mapped[datetime | None]


class State(Base):
    __tablename__ = "state"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id"), index=True)
    type: Mapped[str]
    message: Mapped[str | None]
    timestamp: Mapped[datetime]
    details: Mapped[dict[str, Any]]


class Result(Base):
    __tablename__ = "result"

    command_id: Mapped[UUID] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]


engine = create_engine(
    make_url(os.environ[DATABASE_VARIABLE]).set(drivername="postgresql+psycopg"), pool_size=20
)
client = redis.Redis.from_url(os.environ[REDIS_VARIABLE])
broker: Any = RedisBroker(url=os.environ[REDIS_VARIABLE], namespace="plain")  # type: ignore[no-untyped-call]
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=QUEUE, actor_name="set_state")
def set_state(envelope: dict[str, Any]) -> None:
    """One message, one session, one transaction."""
    data, now = envelope["data"], datetime.now(UTC).replace(tzinfo=None)
    with Session(engine) as session, session.begin():
        run = session.get(Run, UUID(data["flow_run_id"]), with_for_update=True)
        assert run is not None
        state = State(
            id=uuid7(),
            run_id=run.id,
            type=data["state"]["type"],
            message=data["state"].get("message"),
            timestamp=now,
            details={"flow_run_id": str(run.id)},
        )
        session.add(state)
        run.version += 1
        run.state_type, run.state_id = state.type, state.id
        if state.type == "RUNNING":
            run.run_count, run.start_time = run.run_count + 1, now
        body = {"id": envelope["id"], "status": "ACCEPT", "state": state.type, "version": run.version}
        session.add(Result(command_id=UUID(envelope["id"]), body=body))
    client.xadd(f"plain:replies:{envelope['replyto']}", {"event": json.dumps(body)}, maxlen=100_000)
