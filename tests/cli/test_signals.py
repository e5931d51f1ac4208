"""Processes hear every signal that asks them to end, whatever they are doing when it comes."""

import signal
import subprocess
import sys

from workers.processes.stopping import until_stopped

PATIENCE_S = 120.0
SIGNALS = 2_000
# Looks at the event all the time, so that signals come while its lock is held.
BUSY = f"""
import os, signal, subprocess, sys
from workers.processes.stopping import until_stopped

SENDER = '''
import os, signal, sys, time
for _ in range({SIGNALS}):
    os.kill(int(sys.argv[1]), signal.SIGTERM)
    time.sleep(0.0003)
'''
with until_stopped() as stopped:
    sender = subprocess.Popen([sys.executable, "-c", SENDER, str(os.getpid())])
    while sender.poll() is None:
        stopped.wait(0.0001)
    stopped.wait()
print("ended")
"""


def run(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def test_a_process_that_is_asked_to_end_many_times_ends() -> None:
    found = run(BUSY)
    assert (found.stdout, found.returncode) == ("ended\n", 0), found.stderr


# The second signal comes when nobody listens any more.
ENDING = """
import signal, sys
from workers.processes.stopping import until_stopped
with until_stopped() as stopped:
    signal.raise_signal(signal.SIGTERM)
    stopped.wait()
signal.raise_signal(signal.SIGTERM)
signal.raise_signal(signal.SIGINT)
print("ended")
"""


def test_a_process_that_is_about_to_end_is_not_ended_by_a_second_signal() -> None:
    found = run(ENDING)
    assert (found.stdout, found.returncode) == ("ended\n", 0), found.stderr


# The system may give a signal to any thread; and one that comes just before the main thread waits is as little heard.
ELSEWHERE = """
import signal, threading, time
from workers.processes.stopping import until_stopped, wait_for
other = threading.Thread(target=time.sleep, args=(600,), daemon=True)
with until_stopped() as stopped:
    other.start()
    threading.Timer(1, signal.pthread_kill, (other.ident, signal.SIGTERM)).start()
    wait_for(stopped)
print("ended")
"""


def test_a_signal_that_did_not_wake_the_main_thread_is_heard() -> None:
    found = run(ELSEWHERE)
    assert (found.stdout, found.returncode) == ("ended\n", 0), found.stderr


def test_whoever_was_not_asked_to_end_hears_signals_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with until_stopped() as stopped:
        assert signal.getsignal(signal.SIGTERM) is not before
        assert not stopped.is_set()
    assert signal.getsignal(signal.SIGTERM) is before
