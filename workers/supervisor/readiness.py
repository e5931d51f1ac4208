"""How a child tells its parent that it is ready: a line on a pipe whose number is in INTERLOCK_READY_FD."""

import contextlib
import os

from workers.settings import ready_fd

READY_LINE = b"ready\n"


def tell_ready() -> None:
    """Called once by a process when it does its work; does nothing where no parent is waiting to hear it."""
    pipe = ready_fd()
    if pipe is None:
        return
    # The parent may be gone, or this was told before: neither is this process's trouble.
    with contextlib.suppress(OSError):
        os.write(pipe, READY_LINE)
        os.close(pipe)
