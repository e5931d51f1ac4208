"""A child process that behaves as it is told to: `child.py NAME BEHAVIOUR`. Its lines begin with its name."""

import os
import signal
import sys
import time
from types import FrameType

from workers.settings import Settings, environment_for_child
from workers.supervisor import tell_ready


class StopAsked(Exception):
    """Raised when a signal has come."""


def main(name: str, behaviour: str) -> int:
    take_signals(name, stubborn=behaviour == "stubborn")
    if behaviour == "refuses":
        return 3
    try:
        if behaviour != "silent":
            tell_ready()
        say(f"{name} started as {os.getpid()}")
        while True:
            time.sleep(60)
    except StopAsked:
        if behaviour == "needs-servers":
            say(f"{name} stops while Redis answers {redis_answers()}")
        return 0


def take_signals(name: str, *, stubborn: bool) -> None:
    def on_signal(number: int, _frame: FrameType | None) -> None:
        say(f"{name} got {signal.Signals(number).name}")
        if not stubborn:
            raise StopAsked

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def say(line: str) -> None:
    # In one piece, because others write to the same stream.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def redis_answers() -> bool:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    with Redis.from_url(Settings.from_env().redis_url, retry=Retry(NoBackoff(), 0)) as redis:
        return bool(redis.ping())


def as_command_line() -> int:
    """Stands in for `interlock migrate | worker | relay | clock`."""
    word = sys.argv[1]
    failing = environment_for_child({}).get("FAILING_COMMAND")
    if word == failing:
        return 3
    if word == "migrate":
        say(f"migrates {Settings.from_env().database_url}")
        return 0
    return main(word, "needs-servers")


if __name__ == "__main__":
    sys.exit(as_command_line() if len(sys.argv) == 2 else main(sys.argv[1], sys.argv[2]))
