"""Signals that ask a process to stop, and the time that it may take for it."""

import _thread
import logging
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from types import FrameType

log = logging.getLogger(__name__)

#: Of the time that a process has to end, what is left for closing what it has opened.
_TO_CLOSE_S = 2.0
_LOOK_UP_S = 0.5


@contextmanager
def until_stopped() -> Iterator[Event]:
    """While entered, SIGTERM and SIGINT set the event, and do nothing else.

    Once they have, they do nothing at all afterwards: a second one must not end a process in the middle of its end.
    """
    stopped = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        # In a thread of its own: this one may have been interrupted while it held the event's lock, a second signal
        # comes just when the first has woken it up, and would then wait for itself for ever.
        _thread.start_new_thread(stopped.set, ())

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if stopped.is_set() else handler)


def wait_for(stopped: Event) -> None:
    """Returns when the event is set.

    It looks up now and then: a signal that comes just before the main thread begins to wait, or that the system
    gives to another thread, is heard by Python when the main thread stops waiting, and not before.
    """
    while not stopped.wait(_LOOK_UP_S):
        pass


def work_until(stopped: Event, work: Callable[[], None], within: timedelta) -> None:
    """Does this work, which is to end soon after the event; if it does not in time, it is left alone.

    A server that accepts connections and never answers keeps whoever asks it, and a thread cannot be ended from
    outside: it ends with the process. What it had in hand is with the servers, as if the process had been killed.
    Raises what the work raises.
    """
    outcome: Future[None] = Future()

    def run() -> None:
        try:
            work()
            outcome.set_result(None)
        except BaseException as error:  # noqa: BLE001 - raised again by who waits for it
            outcome.set_exception(error)
        finally:
            stopped.set()

    Thread(target=run, name="work", daemon=True).start()
    wait_for(stopped)
    try:
        outcome.result(timeout=seconds_to_finish(within))
    except TimeoutError:
        if outcome.done():
            raise
        log.warning("a server does not answer: ending without it; what is in hand will be done again")


def seconds_to_finish(within: timedelta) -> float:
    """Of the time that a process has to end, how much it may take for what is in hand."""
    return max(1.0, within.total_seconds() - _TO_CLOSE_S)
