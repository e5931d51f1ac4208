"""Notifications of one stream are delivered to every target, at least once each.

An entry is acknowledged when all targets have taken it, and not before: one that a target refuses stays in hand and
is tried again. Others are delivered meanwhile, as far as there is room in hand, so that a notification that a service
will never take does not hold up the rest.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event as Flag

from messages.consumer import Consumer, Event
from workers.notify.claims import Claims
from workers.notify.notice import Notice, notice_of
from workers.notify.targets import Target
from workers.now import monotonic

log = logging.getLogger(__name__)

MOST_IN_HAND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long things may take. `attempt_s` has to be well below the time after which others take over.

    After `look_s` an idle consumer looks here again: whether to stop, and what is due.
    """

    attempt_s: float = 20.0
    first_pause_s: float = 1.0
    last_pause_s: float = 30.0
    look_s: float = 1.0


@dataclass(slots=True)
class _InHand:
    """A notification, and the targets that have not taken it yet."""

    event: Event
    notice: Notice
    left: list[Target]
    tries: int = 0
    due: float = 0.0
    #: whether it was said that it could not be delivered
    told: bool = False


@dataclass(slots=True)
class Forwarder:
    """Delivers until it is stopped; waits out the trouble of Redis and of the targets.

    The consumer acknowledges nothing by itself, reads one entry at a time, and gives up waiting after a while.
    """

    consumer: Consumer
    claims: Claims
    targets: Sequence[Target]
    title: str
    stopped: Flag
    pace: Pace
    _in_hand: dict[str, _InHand] = field(default_factory=dict)
    #: since when a target takes nothing
    _down: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Returns when it is stopped, with what was being delivered done."""
        with ThreadPoolExecutor(len(self.targets), "deliver") as pool:
            while not self.stopped.is_set():
                self._take_next()
                for each in self._due():
                    if not self.stopped.is_set() or each.tries == 0:
                        self._deliver(each, pool)
                self._keep()
        self.claims.let_go(self._in_hand)

    def _take_next(self) -> None:
        if len(self._in_hand) >= MOST_IN_HAND:
            self.stopped.wait(self.pace.look_s)
            return
        event = next(self.consumer, None)
        if event is not None:
            notice = notice_of(event, self.title)
            self._in_hand[event.entry_id] = _InHand(event, notice, list(self.targets))

    def _due(self) -> list[_InHand]:
        now = monotonic()
        return [each for each in self._in_hand.values() if each.due <= now]

    def _keep(self) -> None:
        self.claims.keep(self._in_hand, monotonic())

    def _deliver(self, each: _InHand, pool: ThreadPoolExecutor) -> None:
        self._keep()
        within_s = self.pace.attempt_s
        reasons = list(pool.map(lambda target: target.deliver(each.notice, within_s), each.left))
        each.tries += 1
        for target, reason in zip(tuple(each.left), reasons, strict=True):
            if reason is None:
                each.left.remove(target)
                self._delivered(target)
            else:
                self._failed(target, each, reason)
        if each.left:
            each.due = monotonic() + self._pause(each.tries)
        else:
            del self._in_hand[each.event.entry_id]
            self.consumer.ack(each.event)

    def _pause(self, tries: int) -> float:
        # Bounded before it is raised to that power: an outage may last for weeks.
        doubled = self.pace.first_pause_s * 2.0 ** min(tries - 1, 20)
        return min(doubled, self.pace.last_pause_s)

    def _delivered(self, target: Target) -> None:
        since = self._down.pop(target.name, None)
        if since is not None:
            log.warning(
                "a target takes notifications again",
                extra={"target": target.name, "after_s": round(monotonic() - since)},
            )

    def _failed(self, target: Target, each: _InHand, reason: str) -> None:
        """Said once in each outage, and once of each notification that fails while others get through."""
        if target.name in self._down or each.told:
            return
        each.told = True
        self._down[target.name] = monotonic()
        log.warning(
            "a target does not take a notification; it is kept and tried again",
            extra={"target": target.name, "notification": each.event.id, "reason": reason},
        )
