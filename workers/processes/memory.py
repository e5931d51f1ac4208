"""How Python collects garbage in a process that makes many short-lived objects and few cycles."""

import gc

# A batch makes tens of thousands of objects, and frees nearly all of them by counting references: with Python's
# own thresholds (700, 10, 10) a third of the worker's time went into looking for cycles that are not there.
_THRESHOLDS = (50_000, 20, 20)


def settle() -> None:
    """Called once all modules are loaded: what is there now is there for good, and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
