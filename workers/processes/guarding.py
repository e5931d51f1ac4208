"""The guard at a worker's door, as an operator has set it up."""

import logging

from workers.pipeline.guard import Guard
from workers.settings import Settings
from workers.trust import ADVISED_BYTES, Patterns, patterns, rules_of

log = logging.getLogger(__name__)


def guard_of(settings: Settings) -> Guard:
    """Says which keys are known, never what they are; and which of them are too short to be worth much."""
    keys = settings.secrets()
    if keys:
        log.info("commands and queries must be signed", extra={"keys": ", ".join(sorted(keys))})
    for key_id, secret in keys.items():
        if len(secret) < ADVISED_BYTES:
            log.warning(
                "a signing key is short: make one of %d bytes",
                ADVISED_BYTES,
                extra={"key": key_id, "bytes": len(secret)},
            )
    return Guard(
        keys=keys,
        rules=rules_of(settings.signing_rules),
        max_age=settings.signature_max_age,
        replyto=_patterns(settings.replyto_allowed),
        notify=_patterns(settings.notify_allowed),
    )


def _patterns(text: str) -> Patterns | None:
    return patterns(text.split()) if text.strip() else None
