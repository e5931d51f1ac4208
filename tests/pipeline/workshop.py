"""The pipeline of a worker over a real database, without Redis: messages in, results out."""

import json
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

from messages.ids import uuid7
from messages.registry import COMMANDS
from store.transaction import Engine
from workers.broker.batches import RawMessage
from workers.now import now
from workers.pipeline.admit import Limits
from workers.pipeline.apply import Applier
from workers.pipeline.attempts import Attempts
from workers.pipeline.handler import SUSPECT_AFTER, CommandHandler
from workers.pipeline.retrier import Retrier
from workers.world.world import World

Envelope = dict[str, Any]


@dataclass
class Published:
    """Stands where Redis is: what was published, and what was noted as published."""

    replies_told: list[tuple[str, Envelope]] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)

    def replies(self, replies: Iterable[tuple[str, bytes]], *, wake_relay: bool = False) -> None:
        """As `Publisher.replies`."""
        self.replies_told += [(replyto, json.loads(text)) for replyto, text in replies]

    def done(self, note: int) -> None:
        """As `Notes.done`."""
        self.notes.append(note)


@dataclass
class Workshop:
    """Handles messages as a worker does, one call at a time or in many threads."""

    engine: Engine
    database_url: str
    max_attempts: int = 3
    clock: Callable[[], datetime] = now
    new_id: Callable[[], UUID] = uuid7
    limits: Limits = field(default_factory=Limits)

    def world(self) -> World:
        """An empty one."""
        return World(clock=self.clock, new_id=self.new_id, dice=random.Random(0).random)

    def applier(self) -> Applier:
        """What turns batches into transactions."""
        return Applier(self.engine, self.world)

    def handle(self, *envelopes: Envelope) -> list[Envelope]:
        """One fetch with a message for each envelope; the results, in the order of their publication."""
        return self.handle_bodies(*(body_of(envelope) for envelope in envelopes))

    def handle_bodies(self, *bodies: bytes) -> list[Envelope]:
        """One fetch of such messages."""
        published = Published()
        self.handler(published)([RawMessage(str(number), body) for number, body in enumerate(bodies)])
        return [envelope for _, envelope in published.replies_told]

    def handle_suspects(self, *envelopes: Envelope, deaths: int = SUSPECT_AFTER) -> list[Envelope]:
        """One fetch of messages that so many workers died with."""
        published = Published()
        messages = [RawMessage(each["id"], body_of(each), deaths) for each in envelopes]
        self.handler(published)(messages)
        return [envelope for _, envelope in published.replies_told]

    def try_again(self, *, even_early: bool = True) -> list[Envelope]:
        """One round of what is due in the database, or of all that is there; the results."""
        if even_early:
            self.make_due()
        published = Published()
        Retrier(self.engine, self.handler(published), timedelta(minutes=1), Event()).round()
        return [envelope for _, envelope in published.replies_told]

    def make_due(self) -> None:
        """What is to be tried again is to be tried now."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute(
                "UPDATE attempt SET next_attempt_at = least(next_attempt_at, now() - interval '1 hour')"
            )

    @contextmanager
    def retrying(self, published: Published) -> Iterator[None]:
        """The threads of a worker that try again, while the block runs."""
        stopping = Event()
        retrier = Retrier(self.engine, self.handler(published), timedelta(minutes=1), stopping)
        retrier.start()
        yield
        stopping.set()
        retrier.join(60)

    def handler(self, published: Published) -> CommandHandler:
        """What a worker calls with each batch."""
        applier = self.applier()
        return CommandHandler(
            applier=applier,
            attempts=Attempts(self.engine, applier, self.max_attempts),
            publisher=published,  # type: ignore[arg-type]
            notes=published,  # type: ignore[arg-type]
            types=COMMANDS,
            limits=self.limits,
            stopping=Event(),
        )

    def rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """What the database holds."""
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(statement, parameters).fetchall()

    def count(self, table: str) -> int:
        """How many rows there are."""
        return int(self.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"])

    def events(self) -> list[Envelope]:
        """All that the outbox holds, in its order."""
        rows = self.rows("SELECT entries FROM outbox ORDER BY id")
        entries = [entry for row in rows for entry in json.loads(row["entries"])]
        return [envelope for stream, envelope in entries if stream == "events"]


def command(kind: str, data: Any, **attributes: Any) -> Envelope:
    """An envelope whose result is asked for; an attribute that is None is left out."""
    whole = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "tests",
        "type": kind,
        "data": data,
        "replyto": "tests",
        **attributes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def batch(*envelopes: Envelope) -> Envelope:
    """Many in one message."""
    return command("batch", {"commands": list(envelopes)})


def body_of(envelope: Any) -> bytes:
    """The dramatiq message, as a worker fetches it."""
    return json.dumps(
        {"queue_name": "commands", "actor_name": "x", "args": [envelope], "kwargs": {}}
    ).encode()
