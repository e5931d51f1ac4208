"""Finds the `eta` option of a raw message."""

from __future__ import annotations

import json

# The same bound as in queue.lua: above it a double no longer counts milliseconds.
_LARGEST_ETA_MS = 2**53


def eta_ms_of(body: bytes | None) -> float | None:
    """None when there is none or it cannot be read: such a message is for the handler to judge."""
    if body is None or b'"eta"' not in body:  # spares nearly every message the parsing
        return None
    try:
        eta = json.loads(body)["options"]["eta"]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None
    if isinstance(eta, int | float) and 0 < eta < _LARGEST_ETA_MS:
        return eta
    return None
