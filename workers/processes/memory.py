"""How memory is kept, how garbage is collected and Python shared among threads, in a process that makes many
short-lived objects and few cycles, and that answers queries while commands are applied."""

import contextlib
import ctypes
import gc
import sys

# Two batches of 500 commands are some 100,000 objects, and all of them are freed by counting references: whoever looks
# for cycles among them finds none. With Python's own thresholds (700, 10, 10) that took a third of the worker's time,
# with 50,000 up to a tenth.
_THRESHOLDS = (300_000, 20, 20)
# A query waits for its turn at the interpreter after each of some twenty calls to the servers: 5 ms each time with
# Python's own interval, if commands keep the interpreter busy.
_SWITCH_S = 0.001
# Of the C library: as many heaps as there are threads would each keep what its largest batch needed.
_M_ARENA_MAX = -8


def settle() -> None:
    """Called once all modules are loaded: what is there now is there for good, and is not looked at again."""
    _share_one_heap()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    sys.setswitchinterval(_SWITCH_S)


def _share_one_heap() -> None:
    """Threads that wait for Python's lock anyway need no heaps of their own. Other C libraries than glibc have one."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
