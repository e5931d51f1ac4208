"""What a worker does with a batch of queries: admit, answer, publish. Nothing is written, so nothing is kept."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

import redis

from messages.errors import ErrorCode
from messages.fields import Data
from messages.ids import uuid7
from messages.results import ErrorBody, Outcome, Status
from store.errors import Raced, StoreUnavailable, TookTooLong, Unstorable
from store.transaction import Engine, transaction
from workers.broker.batches import RawMessage, Requeue
from workers.now import now
from workers.pipeline.admit import Limits, admit
from workers.pipeline.command import Command, Unreadable
from workers.pipeline.envelopes import refusal_of, result_of
from workers.pipeline.refused import tell_of_refused
from workers.queries.answer import answer
from workers.queries.asked import Limits as AnswerLimits
from workers.settings import Settings
from workers.streams import Publisher

log = logging.getLogger(__name__)

_RETRY_S = 0.2
# So often a query may be broken off for the sake of other work. Each try may last as long as the query timeout.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class QueryHandler:
    """Handles batches of queries; any number of threads may call it at once."""

    engine: Engine
    publisher: Publisher
    types: dict[str, type[Data]]
    limits: Limits
    settings: Settings
    stopping: Event
    #: asked when the replica, which is asked first, does not get a query done
    primary: Engine | None = None

    def __call__(self, messages: Sequence[RawMessage]) -> None:
        """Returns when every query of the batch is answered.

        Raises:
            Requeue: the worker is to stop, and this batch was not finished.
        """
        for message in messages:
            if message.body is not None:
                came = admit(message.body, self.types, now(), self.limits)
                tell_of_refused(came)
                for each in came:
                    if isinstance(each, Command):
                        self._tell(each.replyto, result_of(each, self._answer(each), uuid7(), now()))
                    elif isinstance(each, Unreadable):
                        self._tell(each.replyto, refusal_of(each, uuid7(), now()))

    def _answer(self, query: Command) -> Outcome:
        if query.refusal is not None:
            return query.refusal
        broken_off: Raced | None = None
        for engine in filter(None, (self.engine, self.primary)):
            try:
                return self._answered_by(engine, query)
            except Raced as error:
                details = {"type": query.type, "tries": _TRIES, "error": str(error)}
                log.warning("a query was broken off again and again", extra=details)
                broken_off = error
        return _internal(
            f"the database broke off the query {_TRIES} times for the sake of other work: {broken_off}; "
            "ask for less, or ask later"
        )

    def _answered_by(self, engine: Engine, query: Command) -> Outcome:
        """Waits for a database that is away.

        Raises:
            Raced: broken off each of some times, as a replica does whose rows the primary has removed meanwhile.
            Requeue: the worker is to stop.
        """
        limits = AnswerLimits(
            graph_max_nodes=self.settings.graph_max_nodes,
            graph_max_artifacts=self.settings.graph_max_artifacts,
        )
        told, tries = False, 0
        while True:
            try:
                with transaction(engine) as connection:
                    return answer(connection, query.type, query.data, limits, now=now())
            except Raced as error:
                tries += 1
                if tries == _TRIES:
                    raise
                self._pause(error)
            except StoreUnavailable as error:
                if not told:
                    log.warning("queries wait for the database", extra={"error": str(error)})
                    told = True
                self._pause(error)
            except Unstorable as error:
                log.warning("a query failed", extra={"type": query.type, "error": str(error)})
                return _internal(self._why(error))
            # A fault of ours: whoever asked is told, and the queries behind it are answered.
            except Exception:
                log.exception("a query failed", extra={"type": query.type})
                return _internal("the query failed; the worker's log says why")

    def _pause(self, error: Exception) -> None:
        if self.stopping.wait(_RETRY_S):
            raise Requeue from error

    def _why(self, error: Unstorable) -> str:
        if not isinstance(error, TookTooLong):
            return f"the query failed: {error}"
        longest = self.settings.query_timeout.total_seconds()
        return (
            f"the database cancelled the query: it takes longer than INTERLOCK_QUERY_TIMEOUT ({longest:g} s); "
            "ask for less, by narrower filters or `columns`, or let it take longer"
        )

    def _tell(self, replyto: str | None, envelope: bytes) -> None:
        while replyto is not None:
            try:
                self.publisher.replies([(replyto, envelope)])
            except (redis.RedisError, OSError) as error:
                log.warning("waiting for Redis", extra={"error": str(error)})
                self._pause(error)
            else:
                return


def _internal(message: str) -> Outcome:
    return Outcome(Status.ERROR, {}, ErrorBody(code=ErrorCode.INTERNAL, message=message, errors=[]))
