"""What a worker does with a batch of messages: admit, apply, publish; again, until it is done.

Trouble of the database or of Redis is waited out and never becomes a verdict. Only a command that fails for its
own sake is set aside, alone.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Any, TypeVar

import redis

from messages.fields import Data, Id
from store import inbox
from store.errors import Raced, StoreUnavailable
from store.transaction import transaction
from workers.broker.batches import RawMessage, Requeue
from workers.figures.tally import BatchTimes, Tally, enqueued_at
from workers.now import now
from workers.pipeline.admit import Limits, admit, admit_envelope
from workers.pipeline.apply import Applied, Applier
from workers.pipeline.attempts import Attempts
from workers.pipeline.command import Admitted, Again, Command
from workers.pipeline.decide import Poisoned
from workers.pipeline.notes import Notes
from workers.pipeline.refused import tell_of_refused
from workers.streams import Publisher

log = logging.getLogger(__name__)

T = TypeVar("T")

_RACES = 8
_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class CommandHandler:
    """Handles batches; any number of threads may call it at once."""

    applier: Applier
    attempts: Attempts
    publisher: Publisher
    notes: Notes
    types: dict[str, type[Data]]
    limits: Limits
    stopping: Event
    tally: Tally = field(default_factory=Tally)

    def __call__(self, messages: Sequence[RawMessage]) -> None:
        """Returns when every command of the batch is answered, parked or set aside.

        Raises:
            Requeue: the worker is to stop, and this batch was not finished.
        """
        moment = now()
        came = [
            each
            for message in messages
            if message.body is not None
            for each in admit(message.body, self.types, moment, self.limits)
        ]
        admitted = [each for each in came if not isinstance(each, Again)]
        tell_of_refused(admitted)
        admitted += self._recall([each.id for each in came if isinstance(each, Again)])
        parts = self._apply(admitted)
        committed = now()
        for applied in parts:
            self._publish(applied)
        self._count(messages, parts, moment, committed)

    def _count(
        self, messages: Sequence[RawMessage], parts: Sequence[Applied], began: datetime, committed: datetime
    ) -> None:
        outcomes: Counter[tuple[str, str]] = Counter()
        for applied in parts:
            for (kind, status), number in applied.outcomes.items():
                # Anybody can invent a type: there must not be a figure for each.
                outcomes[(kind if kind in self.types else "unknown", status)] += number
        times = BatchTimes(
            began=began.timestamp(),
            applied=committed.timestamp(),
            published=now().timestamp(),
            enqueued=enqueued_at(each.body for each in messages if each.body is not None),
        )
        self.tally.batch(outcomes, sum(each.replayed for each in parts), times)

    def _recall(self, ids: Sequence[Id]) -> list[Admitted]:
        """Commands that are to be tried again, as they were admitted; those that have ended meanwhile are left out."""

        def read() -> list[Mapping[str, Any]]:
            with transaction(self.applier.engine) as connection:
                return inbox.failed(connection, ids)

        envelopes = self._patiently(read) if ids else []
        return [admit_envelope(dict(envelope), b"", self.types, None) for envelope in envelopes]

    def _apply(self, admitted: Sequence[Admitted]) -> list[Applied]:
        try:
            return [self._apply_together(admitted)]
        except Requeue:
            raise
        # Whatever one command of the batch has caused: it must not hold up the others.
        except Exception as error:  # noqa: BLE001 - counted and kept with the command
            if len(admitted) > 1:
                log.warning(
                    "a batch failed, its commands are applied one by one", extra={"error": str(error)}
                )
                return [applied for each in admitted for applied in self._apply([each])]
            if isinstance(error, Poisoned) and error.command.id != _id_of(admitted[0]):
                return self._without_follower(admitted[0], error)
            return [self._set_aside(admitted[0], error)]

    def _without_follower(self, each: Admitted, error: Poisoned) -> list[Applied]:
        """A parked command that came along is to blame: it stays parked until it is tried again by itself."""
        applied, held_back = [], set[Id]()
        while True:
            held_back.add(error.command.id)
            applied.append(self._set_aside(error.command, error))
            try:
                return [self._apply_together([each], held_back), *applied]
            except Poisoned as another:
                if another.command.id == _id_of(each) or another.command.id in held_back:
                    return [self._set_aside(each, another), *applied]
                error = another

    def _apply_together(self, admitted: Sequence[Admitted], held_back: Set[Id] = frozenset()) -> Applied:
        races = 0
        while True:
            try:
                return self._patiently(lambda: self.applier.apply(admitted, held_back))
            except Raced as race:
                self.tally.retried(race.sqlstate or "race")
                races += 1
                if races > _RACES:
                    raise
                self.stopping.wait(random.uniform(0, 0.01 * 2**races))

    def _patiently(self, work: Callable[[], T]) -> T:
        """Waits as long as the database is away, unless the worker is to stop."""
        wait_s, told = _FIRST_WAIT_S, False
        while True:
            try:
                done = work()
            except StoreUnavailable as error:
                self.tally.retried(error.sqlstate or "unavailable")
                if not told:
                    log.warning("waiting for the database", extra={"error": str(error)})
                    told = True
                if self.stopping.wait(wait_s * random.uniform(0.5, 1)):
                    raise Requeue from error
                wait_s = min(_LONGEST_WAIT_S, wait_s * 2)
            else:
                if told:
                    log.warning("the database is back")
                return done

    def _set_aside(self, each: Admitted, error: Exception) -> Applied:
        if not isinstance(each, Command):
            raise error
        return self._patiently(lambda: self.attempts.failed(each, error, now()))

    def _publish(self, applied: Applied) -> None:
        """Committed results leave; if Redis is away until the worker stops, the relay finds them in the database."""
        wait_s = _FIRST_WAIT_S
        replies = [(reply.replyto, reply.envelope) for reply in applied.replies]
        if not replies and not applied.events:
            return
        while True:
            try:
                self.publisher.replies(replies, wake_relay=applied.events > 0)
            except (redis.RedisError, OSError) as error:
                log.warning("waiting for Redis", extra={"error": str(error)})
                if self.stopping.wait(wait_s):
                    return
                wait_s = min(_LONGEST_WAIT_S, wait_s * 2)
            else:
                if applied.note is not None:
                    self.notes.done(applied.note)
                return


def _id_of(each: Admitted) -> Id | None:
    return each.id if isinstance(each, Command) else None
