"""What tells two commands of one id apart. Pure."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from store.encoding import encode_sorted

_FINGERPRINTED = ("type", "source", "data", "partitionkey", "sequence")


def fingerprint(envelope: Mapping[str, Any]) -> bytes:
    """16 bytes that tell apart what two commands of one id ask for; the order of keys does not matter.

    Not the canonical form: 1 and 1.0 differ, which harms nobody, as one sender writes a number in one way.
    """
    content = [envelope.get(name) for name in _FINGERPRINTED]
    return blake2b(encode_sorted(content), digest_size=16).digest()
