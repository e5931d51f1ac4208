"""`run_process.py ROLE [FAULT]`: a worker, a relay or a clock, with a fault built in that strikes once."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from store.transaction import Connection
from workers.logs import set_up_logging
from workers.settings import Settings
from workers.streams import Publisher
from workers.world.world import World


def dies_before_its_first_results(_settings: Settings) -> None:
    """SIGKILL between commit and publication."""

    def replies(_self: Publisher, _replies: object, **_more: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    Publisher.replies = replies  # type: ignore[method-assign, assignment]


def dies_after_its_first_results(_settings: Settings) -> None:
    """SIGKILL between publication and acknowledgement."""
    publish = Publisher.replies

    def replies(self: Publisher, entries: object, **more: object) -> None:
        publish(self, entries, **more)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGKILL)

    Publisher.replies = replies  # type: ignore[method-assign, assignment]


def dies_before_marking(_settings: Settings) -> None:
    """SIGKILL of a relay between XADD and the mark in the outbox."""
    publish = Publisher.events

    def events(self: Publisher, entries: object) -> None:
        publish(self, entries)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGKILL)

    Publisher.events = events  # type: ignore[method-assign]


def dies_in_mid_batch(settings: Settings) -> None:
    """SIGKILL while a transaction is open: its locks are held, nothing is committed. Once only."""
    from workers.pipeline import apply
    from workers.pipeline.save import save as save_world

    once = Path(settings.home) / "died-in-mid-batch"

    def dying(connection: Connection, world: World) -> None:
        save_world(connection, world)
        if not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    vars(apply)["save"] = dying


FAULTS: dict[str, Callable[[Settings], None]] = {
    "none": lambda _settings: None,
    "dies-before-its-first-results": dies_before_its_first_results,
    "dies-after-its-first-results": dies_after_its_first_results,
    "dies-before-marking": dies_before_marking,
    "dies-in-mid-batch": dies_in_mid_batch,
}


def end_with(parent: int) -> None:
    """Tests that are killed stop nobody: whoever they started must see it."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


def main(role: str, fault: str) -> int:
    """Runs until it is stopped, or until the fault strikes."""
    threading.Thread(target=end_with, args=(os.getppid(),), name="lifeline", daemon=True).start()
    settings = Settings.from_env()
    set_up_logging(settings.log_level, settings.log_format)
    FAULTS[fault](settings)
    if role == "worker":
        from workers.processes.worker import run
    elif role == "clock":
        from workers.processes.clock import run
    else:
        from workers.processes.relay import run
    return run(settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "none"))
