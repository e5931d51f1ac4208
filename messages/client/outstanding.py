"""Which commands wait for an answer, when each is sent (again), and when it is given up. Pure: time comes in.

Not for several threads at once: the shell around it holds a lock.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from messages.client.errors import CommandFailed
from messages.client.result import Result
from messages.errors import ErrorCode, Refused
from messages.fields import JsonObject
from messages.registry import QUERIES
from messages.results import Status

FIRST_RESEND_SECONDS = 5.0
LAST_RESEND_SECONDS = 60.0
#: Longer than workers let a query take (`INTERLOCK_QUERY_TIMEOUT`, 10 s): else it would be answered twice.
FIRST_QUERY_RESEND_SECONDS = 15.0
_REMEMBERED_BATCHES = 1_000
_FIRST_PAUSE_SECONDS = 0.1
_LAST_PAUSE_SECONDS = 5.0


class Promise(Protocol):
    """What futures of threads and of asyncio have in common."""

    def done(self) -> bool:
        """Whether it has its result, its error, or was cancelled."""

    def set_result(self, result: Any, /) -> None:
        """Fulfils it."""

    def set_exception(self, exception: Any, /) -> None:
        """Fails it."""


@dataclass(slots=True, eq=False)
class Letter:
    """One command and the future of its answer. `deadline` is in seconds of a monotonic clock."""

    envelope: JsonObject
    promise: Promise
    batched: bool = False
    raise_on_error: bool = True
    deadline: float | None = None
    times_sent: int = 0
    #: when it is due again; timers that say otherwise are out of date
    due: float | None = None
    id: str = field(init=False)
    joined: list["Letter"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = self.envelope["id"]

    @property
    def is_query(self) -> bool:
        """Whether it asks for something, and changes nothing."""
        return self.envelope["type"] in QUERIES

    def is_done(self) -> bool:
        """Whether nobody waits any more."""
        return self.promise.done() and all(letter.is_done() for letter in self.joined)

    def asks_the_same(self, other: "Letter") -> bool:
        """Whether both are one command."""
        return all(self.envelope.get(name) == other.envelope.get(name) for name in ("type", "data"))

    def fulfil(self, result: Result) -> None:
        """Gives the answer to whoever waits; one who no longer does is left alone."""
        for letter in self.joined:
            letter.fulfil(result)
        if self.promise.done():
            return
        if result.status is Status.ERROR and self.raise_on_error:
            self.promise.set_exception(CommandFailed(result))
        else:
            self.promise.set_result(result)

    def fail(self, error: Exception) -> None:
        """Tells whoever waits that there will be no answer."""
        for letter in self.joined:
            letter.fail(error)
        if not self.promise.done():
            self.promise.set_exception(error)


class Outstanding:
    """The letters that wait for their answers."""

    def __init__(
        self,
        first_resend: float = FIRST_RESEND_SECONDS,
        last_resend: float = LAST_RESEND_SECONDS,
        first_query_resend: float = FIRST_QUERY_RESEND_SECONDS,
    ) -> None:
        self._first_resend = first_resend
        self._last_resend = last_resend
        self._first_query_resend = first_query_resend
        self._letters: dict[str, Letter] = {}
        self._fresh: deque[Letter] = deque()
        self._resends: list[tuple[float, int, Letter]] = []
        self._deadlines: list[tuple[float, int, Letter]] = []
        self._order = count()
        self._batches: OrderedDict[str, list[str]] = OrderedDict()
        self._paused_until = 0.0
        self._pause = _FIRST_PAUSE_SECONDS

    def __len__(self) -> int:
        return len(self._letters)

    def any_waits(self) -> bool:
        """Whether somebody still waits for an answer; whoever cancelled does not."""
        return any(not letter.is_done() for letter in self._letters.values())

    def add(self, letters: Iterable[Letter]) -> None:
        """Takes letters to be sent at once. One that waits already is not sent twice: both get the answer.

        Raises:
            Refused: `id_reused`, where another command waits under the id of one; then none is taken.
        """
        new = list(letters)
        self._refuse_reused(new)
        for letter in new:
            waiting = self._letters.get(letter.id)
            if waiting is not None:
                waiting.joined.append(letter)
                continue
            self._letters[letter.id] = letter
            self._fresh.append(letter)
            if letter.deadline is not None:
                heapq.heappush(self._deadlines, (letter.deadline, next(self._order), letter))

    def due(self, now: float, most: int = 1_000) -> list[Letter]:
        """Up to so many letters to be sent now, in order. Say `sent` or `not_sent` of them afterwards."""
        if now < self._paused_until:
            return []
        letters: list[Letter] = []
        while len(letters) < most and (letter := self._next_due(now)):
            letters.append(letter)
        return letters

    def overdue(self, now: float) -> list[Letter]:
        """Those whose deadline has passed; they are forgotten."""
        letters = []
        while self._deadlines and self._deadlines[0][0] <= now:
            letter = heapq.heappop(self._deadlines)[2]
            if self._letters.get(letter.id) is letter:
                del self._letters[letter.id]
                letters.append(letter)
        return letters

    def not_sent(self, letters: Iterable[Letter], now: float) -> float:
        """Takes back what Redis did not take; nothing is due for a while, whose seconds are given back."""
        self._fresh.extendleft(reversed(list(letters)))
        pause, self._pause = self._pause, min(self._pause * 2, _LAST_PAUSE_SECONDS)
        self._paused_until = now + pause
        return pause

    def sent(self, letters: Iterable[Letter], now: float) -> None:
        """Redis has these letters; each is due again after its backoff."""
        self._pause = _FIRST_PAUSE_SECONDS
        for letter in letters:
            letter.times_sent += 1
            self._send_again(letter, now + self._backoff(letter))

    def lost_touch(self, now: float) -> None:
        """Redis was away, and may have forgotten what was sent: queries do not wait out their long time."""
        soon = now + self._first_resend
        for letter in self._letters.values():
            if letter.is_query and letter.due is not None and letter.due > soon:
                self._send_again(letter, soon)

    def sent_as_batch(self, batch_id: str, ids: list[str]) -> None:
        """Remembers what a batch carries, so that an ERROR of the batch itself reaches them."""
        self._batches[batch_id] = ids
        while len(self._batches) > _REMEMBERED_BATCHES:
            self._batches.popitem(last=False)

    def answered(self, result: Result) -> list[Letter]:
        """Those that this result answers; they are forgotten, so that a repeat of it answers none."""
        self._forget_done()
        letter = self._letters.pop(result.command_id, None)
        if letter is not None:
            return [letter]
        if result.status is not Status.ERROR:
            return []
        inner = self._batches.pop(result.command_id, [])
        return [found for command_id in inner if (found := self._letters.pop(command_id, None))]

    def wait(self, now: float) -> float | None:
        """The seconds until something is due or overdue; None: nothing waits."""
        moments = [queue[0][0] for queue in (self._resends, self._deadlines) if queue]
        if self._fresh:
            moments.append(now)
        if not moments:
            return None
        return max(0.0, max(min(moments), self._paused_until) - now)

    def drain(self) -> list[Letter]:
        """Forgets all of them."""
        letters = list(self._letters.values())
        self._letters.clear()
        self._fresh.clear()
        self._resends.clear()
        self._deadlines.clear()
        return letters

    def _refuse_reused(self, new: list[Letter]) -> None:
        known: dict[str, Letter] = {}
        for letter in new:
            other = self._letters.get(letter.id) or known.setdefault(letter.id, letter)
            if not letter.asks_the_same(other):
                raise Refused(ErrorCode.ID_REUSED, f"another command waits under the id {letter.id}")

    def _next_due(self, now: float) -> Letter | None:
        while self._resends and self._resends[0][0] <= now:
            due, _, letter = heapq.heappop(self._resends)
            if letter.due == due and self._waits(letter):
                letter.due = None
                return letter
        while self._fresh:
            letter = self._fresh.popleft()
            if self._waits(letter):
                return letter
        return None

    def _waits(self, letter: Letter) -> bool:
        if self._letters.get(letter.id) is not letter:
            return False
        if letter.is_done():
            del self._letters[letter.id]
            return False
        return True

    def _forget_done(self) -> None:
        """Keeps the timers of what was answered long before its time from piling up."""
        for timers in (self._resends, self._deadlines):
            if len(timers) > 2 * len(self._letters) + 1_024:
                timers[:] = [timer for timer in timers if self._letters.get(timer[2].id) is timer[2]]
                heapq.heapify(timers)

    def _send_again(self, letter: Letter, due: float) -> None:
        letter.due = due
        heapq.heappush(self._resends, (due, next(self._order), letter))

    def _backoff(self, letter: Letter) -> float:
        first = self._first_query_resend if letter.is_query else self._first_resend
        return min(first * 2.0 ** min(letter.times_sent - 1, 30), max(first, self._last_resend))
