"""Keys of the tests, and messages signed with them."""

import json
from base64 import b64encode
from typing import Any

from messages.canonical import sign

SECRETS = {"a": b"a" * 32, "b": b"b" * 32}
KEYS = json.dumps({key_id: b64encode(secret).decode() for key_id, secret in SECRETS.items()})
Envelope = dict[str, Any]


def signed(envelope: Envelope, key_id: str = "a", secret: bytes | None = None) -> Envelope:
    """The envelope with its signature."""
    return {**envelope, "signature": sign(envelope, key_id, secret or SECRETS[key_id])}
