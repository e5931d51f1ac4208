"""`--sign KEYID`: with which key of the settings to sign what is sent."""

from typing import TYPE_CHECKING

from workers.cli.failures import WRONG_USAGE, Complaint

if TYPE_CHECKING:
    from messages.client.composing import SigningKey
    from workers.settings import Settings

HELP = "Sign with this key of INTERLOCK_SIGNING_KEYS or its file."


def signing_key(settings: "Settings", key_id: str | None) -> "SigningKey | None":
    """The key of that id; None where nothing is to be signed.

    Raises:
        Complaint: if there is no such key.
    """
    if key_id is None:
        return None
    keys = settings.secrets()
    if key_id not in keys:
        known = f"it knows {', '.join(sorted(keys))}" if keys else "none is set"
        raise Complaint(f"--sign: there is no key {key_id!r} in INTERLOCK_SIGNING_KEYS; {known}", WRONG_USAGE)
    return key_id, keys[key_id]
