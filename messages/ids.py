"""Identifiers: UUID version 7 (RFC 9562, section 5.7), so that ids are roughly in order of time."""

import os
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_RANDOM_BITS = (1 << 74) - 1


def uuid7() -> UUID:
    """A new UUID of version 7: 48 bits of milliseconds since the epoch, 74 random bits."""
    random = int.from_bytes(os.urandom(10)) & _RANDOM_BITS
    rand_a, rand_b = random >> 62, random & ((1 << 62) - 1)
    milliseconds = time.time_ns() // 1_000_000 & ((1 << 48) - 1)
    return UUID(int=milliseconds << 80 | _VERSION_7 | rand_a << 64 | _VARIANT | rand_b)
