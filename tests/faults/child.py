"""`python -m tests.faults.child ROLE`: a worker, relay or clock with failpoints, and with commands that are poison.

A command `flow_run.set_labels` with the label `poison` does what the label says: `raise` raises, `once` raises when
it is first seen, `crash` kills the process, in the middle of its transaction.
"""

import os
import select
import signal
import sys
import threading
import time
from importlib import import_module
from typing import Any

from tests.crashes.run_process import end_with
from tests.faults.failpoints import Points
from workers.logs import set_up_logging
from workers.settings import Settings

FOLDER = "failpoints"


class Poison(Exception):
    """What a poisonous command raises."""


def poison() -> None:
    """Some commands break the handler."""
    from workers.handlers.table import HANDLERS

    kind = "flow_run.set_labels"
    handler: Any = HANDLERS[kind]

    seen = set[str]()

    def poisoned(world: Any, command: Any) -> Any:
        run = str(command.flow_run_id)
        match command.labels.get("poison"):
            case "raise":
                raise Poison("as asked")
            case "once" if run not in seen:
                seen.add(run)
                raise Poison("as asked, once")
            case "crash":
                os.kill(os.getpid(), signal.SIGKILL)
        return handler(world, command)

    HANDLERS[kind] = poisoned


def main(role: str) -> int:
    """Runs until it is stopped, or until something strikes."""
    if "FAKETIME_TIMESTAMP_FILE" in os.environ:
        # Under libfaketime a sleep until a certain moment fails now and then; one that waits for nothing does not.
        time.sleep = lambda seconds: select.select((), (), (), float(seconds))  # type: ignore[assignment]
    threading.Thread(target=end_with, args=(os.getppid(),), name="lifeline", daemon=True).start()
    settings = Settings.from_env()
    set_up_logging(settings.log_level, settings.log_format)
    Points(settings.home / FOLDER).install()
    poison()
    status: int = import_module(f"workers.processes.{role}").run(settings)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
