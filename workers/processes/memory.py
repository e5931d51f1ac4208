"""How Python collects garbage and shares itself among threads, in a process that makes many short-lived objects
and few cycles, and that answers queries while commands are applied."""

import gc
import sys

# A batch makes tens of thousands of objects, and frees nearly all of them by counting references: with Python's
# own thresholds (700, 10, 10) a third of the worker's time went into looking for cycles that are not there.
_THRESHOLDS = (50_000, 20, 20)
# A query waits for its turn at the interpreter after each of some twenty calls to the servers: 5 ms each time with
# Python's own interval, if commands keep the interpreter busy.
_SWITCH_S = 0.001


def settle() -> None:
    """Called once all modules are loaded: what is there now is there for good, and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    sys.setswitchinterval(_SWITCH_S)
