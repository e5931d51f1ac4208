"""All timed duties, in their order, and in which rounds of the clock each is seen to."""

from dataclasses import dataclass

from workers.clock.cancellations import finish_cancellations
from workers.clock.duty import Duty
from workers.clock.gaps import end_sequence_gaps
from workers.clock.late_runs import mark_late_runs
from workers.clock.leases import free_expired_leases
from workers.clock.pauses import fail_expired_pauses
from workers.clock.replays import send_replayed_letters
from workers.clock.retention import forget_old_things


@dataclass(frozen=True, slots=True)
class Entry:
    """A duty, done in every so-manieth round."""

    name: str
    duty: Duty
    every: int = 1
    #: it changes runs, so that the relay has something to publish
    tells: bool = False


DUTIES = (
    Entry("late runs", mark_late_runs, tells=True),
    Entry("expired pauses", fail_expired_pauses, tells=True),
    Entry("cancellations", finish_cancellations, every=4, tells=True),
    Entry("expired leases", free_expired_leases),
    Entry("sequence gaps", end_sequence_gaps),
    Entry("replayed dead letters", send_replayed_letters),
    Entry("retention", forget_old_things, every=12),
)
