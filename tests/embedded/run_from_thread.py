"""Starts a child as where the kernel cannot watch over it, waits for a line on its input, and ends."""

import signal
import sys
import threading

from workers.supervisor import Program, spawn

if __name__ == "__main__":
    program = Program((sys.executable, "-m", "tests.embedded.child", "one", "steady"))
    thread = threading.Thread(target=spawn, args=(program, signal.SIGTERM))
    thread.start()
    thread.join()
    signal.pause()
