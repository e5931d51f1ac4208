"""What has happened before the clock comes round: commands, applied as a worker applies them, at chosen times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic_core import from_json
from sqlalchemy import text

from messages.registry import COMMANDS
from messages.runs import FlowRun, TaskRun
from store.runs import FLOW_RUNS, TASK_RUNS
from store.transaction import session, transaction
from workers.broker.connections import command_client
from workers.clock.duty import Means
from workers.pipeline.admit import admit_envelope
from workers.pipeline.apply import Applier
from workers.streams import Publisher

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
Json = dict[str, Any]


def ago(**parts: float) -> datetime:
    """So long before NOW."""
    return NOW - timedelta(**parts)


def without_redis(means: Means) -> Means:
    """The same where nothing listens."""
    nowhere = command_client("redis://127.0.0.1:1/0")
    return replace(means, publisher=Publisher.over(nowhere, means.settings))


class Scene:
    """One installation, without its processes."""

    def __init__(self, means: Means) -> None:
        self.means = means

    def do(self, kind: str, data: Json, at: datetime = NOW, **attributes: Any) -> Json:
        """Applies one command; answers the data of its result, or nothing if it was parked."""
        results = self.results(kind, data, at, **attributes)
        return results[-1]["data"] if results else {}

    def results(self, kind: str, data: Json, at: datetime = NOW, **attributes: Any) -> list[Json]:
        """All results that applying one command leads to."""
        envelope = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "scene",
            "type": kind,
            "data": data,
            "replyto": "scene",
            **attributes,
        }
        command = admit_envelope(envelope, b"", COMMANDS, at)
        applied = Applier(self.means.engine, lambda: self.means.world(at)).apply([command])
        return [from_json(reply.envelope) for reply in applied.replies]

    def flow_run(self, state: Json | None = None, at: datetime = NOW, **data: Any) -> UUID:
        """A flow run, with a state if one is given."""
        made = self.do("flow_run.create", {"flow_name": "etl", **data}, at)
        ident = UUID(made["flow_run"]["id"])
        if state is not None:
            self.set_state(ident, state, at)
        return ident

    def scheduled(self, start: datetime, **state: Any) -> UUID:
        """A flow run that is to start then."""
        details = {"scheduled_time": start.isoformat()}
        return self.flow_run({"type": "SCHEDULED", "state_details": details, **state}, start)

    def task_run(
        self, flow_run: UUID, key: str, state: Json | None = None, at: datetime = NOW, **data: Any
    ) -> UUID:
        """A task run."""
        keys = {"flow_run_id": str(flow_run), "task_key": key, "dynamic_key": "0"}
        made = self.do("task_run.create", {**keys, **data}, at)
        ident = UUID(made["task_run"]["id"])
        if state is not None:
            answer = self.do(
                "task_run.set_state", {"task_run_id": str(ident), "state": state, "force": True}, at
            )
            assert answer["status"] == "ACCEPT", answer
        return ident

    def set_state(self, flow_run: UUID, state: Json, at: datetime = NOW) -> None:
        """Forces a state upon a flow run."""
        data = {"flow_run_id": str(flow_run), "state": state, "force": True}
        answer = self.do("flow_run.set_state", data, at)
        assert answer["status"] in ("ACCEPT", "REJECT"), answer

    def read(self, flow_run: UUID) -> FlowRun:
        """The flow run as committed."""
        with session(self.means.engine) as connection:
            return FLOW_RUNS.read(connection, [flow_run])[flow_run]

    def read_task(self, task_run: UUID) -> TaskRun:
        """The task run as committed."""
        with session(self.means.engine) as connection:
            return TASK_RUNS.read(connection, [task_run])[task_run]

    def published(self) -> list[tuple[str, Json]]:
        """All that the outbox holds, as (stream, envelope)."""
        rows = self.rows("SELECT entries FROM outbox ORDER BY id")
        return [(stream, envelope) for (entries,) in rows for stream, envelope in from_json(entries)]

    def rows(self, query: str, **parameters: Any) -> list[Any]:
        """What a query finds."""
        with session(self.means.engine) as connection:
            return list(connection.execute(text(query), parameters))

    def execute(self, statement: str, **parameters: Any) -> None:
        """Changes the database behind the commands' back."""
        with transaction(self.means.engine) as connection:
            connection.execute(text(statement), parameters)
