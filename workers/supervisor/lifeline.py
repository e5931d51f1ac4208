"""Start a process that never outlives this one, not even when this one is killed with SIGKILL."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_WARDEN = Path(__file__).with_name("warden.py")
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """What to run. Its standard output goes where its standard error goes."""

    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None
    user: str | None = None
    # File descriptors. No input: none is given. No output: this process's standard error.
    stdin: int | None = None
    output: int | None = None
    pass_fds: tuple[int, ...] = ()


def spawn(program: Program, death_signal: signal.Signals) -> subprocess.Popen[bytes]:
    """Start the program; it gets `death_signal` when this process ends.

    It has a process group of its own, so that a Ctrl-C at the terminal reaches this process alone, which then
    stops its children in the right order.
    """
    # The kernel's signal comes when the *thread* that started the child ends: only the main thread lasts.
    by_kernel = _libc is not None and threading.current_thread() is threading.main_thread()
    argv = program.argv if by_kernel else (*_warden_for(death_signal), *program.argv)
    output = 2 if program.output is None else program.output
    return subprocess.Popen(
        argv,
        env=program.env,
        user=program.user,
        group=None if program.user is None else pwd.getpwnam(program.user).pw_gid,
        extra_groups=None if program.user is None else [],
        stdin=subprocess.DEVNULL if program.stdin is None else program.stdin,
        stdout=output,
        stderr=output,
        pass_fds=program.pass_fds,
        process_group=0,
        preexec_fn=_die_with_parent(death_signal) if by_kernel else None,  # noqa: PLW1509 - takes no lock
    )


def stop_hard(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the process and those it started in its group; returns when it is gone."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def ask_kernel() -> None:
        assert _libc is not None
        _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))
        # The parent may have died before the kernel was asked.
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def _warden_for(death_signal: signal.Signals) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(_WARDEN), str(os.getpid()), str(int(death_signal)))
