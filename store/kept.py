"""A command as the database keeps it while it waits: what it said, what it is recognised by, why it was refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """What a worker admitted once. `refusal` is {code, message, errors}; None if it may be applied."""

    envelope: Mapping[str, Any]
    fingerprint: bytes
    refusal: Mapping[str, Any] | None
