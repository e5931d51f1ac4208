"""What a worker does with a batch of messages: admit, apply, publish; again, until it is done.

Trouble of the database or of Redis is waited out and never becomes a verdict. Only a command that fails for its
own sake is set aside, alone.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import TypeVar

import redis

from messages.fields import Data
from store.errors import Raced, StoreUnavailable
from workers.broker.batches import RawMessage, Requeue
from workers.figures.tally import BatchTimes, Tally, enqueued_at
from workers.now import now
from workers.pipeline.admit import Limits, admit, unread
from workers.pipeline.apply import Applied, Applier
from workers.pipeline.attempts import Attempts
from workers.pipeline.command import Admitted, Command
from workers.pipeline.decide import Poisoned
from workers.pipeline.notes import Notes
from workers.pipeline.order import Company
from workers.pipeline.refused import tell_of_refused
from workers.streams import Publisher

log = logging.getLogger(__name__)

T = TypeVar("T")

#: So many workers may die with a message in hand before its commands are tried alone: the first death is usually
#: nobody's fault, and everything that was in hand would have to go the slow way.
SUSPECT_AFTER = 2
_RACES = 8
# A larger batch that failed is divided into so many parts first.
_ONE_BY_ONE, _PARTS = 256, 16
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
        suspected = [message for message in messages if message.deaths >= SUSPECT_AFTER]
        if suspected:
            self._handle(self._admit_suspects(suspected, moment), Company.APART, suspected, moment)
        ordinary = [message for message in messages if message.deaths < SUSPECT_AFTER]
        if ordinary:
            self._handle(self._admit(ordinary, moment), Company.TOGETHER, ordinary, moment)

    def again(self, commands: Sequence[Command], company: Company) -> None:
        """Tries commands again that the database has kept. Raises as a call does."""
        self._handle(commands, company)

    def give_up(self, command: Command, attempts: int, error: str) -> None:
        """A command whose attempts are used up ends, and whoever waits for it is told. Raises as a call does."""
        self._publish(self._patiently(lambda: self.attempts.give_up(command, attempts, error)))

    def _admit(self, messages: Sequence[RawMessage], moment: datetime) -> list[Admitted]:
        admitted = [
            each
            for message in messages
            if message.body is not None
            for each in admit(message.body, self.types, moment, self.limits)
        ]
        tell_of_refused(admitted)
        return admitted

    def _admit_suspects(self, messages: Sequence[RawMessage], moment: datetime) -> list[Admitted]:
        """One that ended so many workers before it could be set apart is not even read."""
        most = SUSPECT_AFTER + self.attempts.most
        hopeless = [message for message in messages if message.deaths >= most]
        others = [message for message in messages if message.deaths < most]
        return self._admit(others, moment) + [
            unread(each.body, f"{each.deaths} workers died while they had this message")
            for each in hopeless
            if each.body is not None
        ]

    def _handle(
        self,
        admitted: Sequence[Admitted],
        company: Company,
        messages: Sequence[RawMessage] = (),
        began: datetime | None = None,
    ) -> None:
        began = began or now()
        parts = self._apply(admitted, company)
        committed = now()
        for applied in parts:
            self._publish(applied)
        self._count(messages, parts, began, committed)

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

    def _apply(self, admitted: Sequence[Admitted], company: Company) -> list[Applied]:
        try:
            return [self._apply_together(admitted, company)]
        except Requeue:
            raise
        # Whatever one command of the batch has caused: it must not hold up the others.
        except Exception as error:  # noqa: BLE001 - counted and kept with the command
            return self._after_failure(admitted, error, company)

    def _after_failure(
        self, admitted: Sequence[Admitted], error: Exception, company: Company
    ) -> list[Applied]:
        culprit = _culprit(admitted, error)
        if culprit is not None:
            # First, so that it keeps its turn before those that come after it.
            applied = self._set_aside(culprit, error)
            rest = [each for each in admitted if each is not culprit]
            return applied + (self._apply(rest, company) if rest else [])
        if len(admitted) == 1:
            return self._without_followers(admitted[0], error, company)
        log.warning("a batch failed, its commands are applied apart", extra={"error": str(error)})
        return [applied for some in _in_parts(admitted) for applied in self._apply(some, company)]

    def _without_followers(self, each: Admitted, error: Exception, company: Company) -> list[Applied]:
        """A command is to blame, unless it brought parked followers along: then it is tried without them."""
        if not isinstance(each, Command):
            raise error
        if company is not Company.TOGETHER or each.partitionkey is None:
            return self._set_aside(each, error)
        return self._apply([each], Company.ALONE)

    def _set_aside(self, command: Command, error: Exception) -> list[Applied]:
        return self._patiently(lambda: self.attempts.failed(command, error, now()))

    def _apply_together(self, admitted: Sequence[Admitted], company: Company) -> Applied:
        races = 0
        while True:
            try:
                return self._patiently(lambda: self.applier.apply(admitted, company))
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


def _culprit(admitted: Sequence[Admitted], error: Exception) -> Command | None:
    """The command of this batch that is known to be to blame; None if that is not known, or it is none of them."""
    if not isinstance(error, Poisoned):
        return None
    mine = (each for each in admitted if isinstance(each, Command) and each.id == error.command.id)
    return next(mine, None)


def _in_parts(admitted: Sequence[Admitted]) -> Iterator[Sequence[Admitted]]:
    size = 1 if len(admitted) <= _ONE_BY_ONE else -(-len(admitted) // _PARTS)
    for start in range(0, len(admitted), size):
        yield admitted[start : start + size]
