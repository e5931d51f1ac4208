"""Run a program and stop it when the process that asked for it is gone, where the kernel (macOS) does not.

A script of the standard library alone: `warden.py PARENT_PID DEATH_SIGNAL PROGRAM ARGUMENT...`. It passes
signals on, and ends as the program ends.
"""

import os
import signal
import subprocess
import sys
from types import FrameType

_LOOK_EVERY_SECONDS = 0.3
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


def main() -> int:
    parent, death_signal = int(sys.argv[1]), int(sys.argv[2])
    program = subprocess.Popen(sys.argv[3:], close_fds=False)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        program.send_signal(number)

    for number in _PASSED_ON:
        signal.signal(number, pass_on)
    told = False
    while True:
        try:
            status = program.wait(timeout=_LOOK_EVERY_SECONDS)
        except subprocess.TimeoutExpired:
            if not told and os.getppid() != parent:
                program.send_signal(death_signal)
                told = True
        else:
            return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
