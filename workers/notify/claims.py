"""What this process has in hand stays its own in the consumer group, until it is delivered or let go."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from redis import Redis

from messages.streams import TROUBLE


class Claims:
    """Entries of one stream, held by one member of a group.

    The others take over what nobody has touched for `claim_after_s`: while an outage lasts, it is touched.
    Trouble with Redis does not matter here: at worst somebody else delivers the same once more.
    """

    def __init__(self, redis: Redis, key: str, group: str, member: str, claim_after_s: float) -> None:
        self._redis, self._key, self._group, self._member = redis, key, group, member
        self._claim_after_ms = int(claim_after_s * 1_000)
        self._every_s = claim_after_s / 6
        self._touched = 0.0

    def keep(self, entry_ids: Iterable[str], now: float) -> None:
        """Touches them, if it is time. To be called at least every third of `claim_after_s`."""
        if now - self._touched >= self._every_s:
            self._touched = now
            self._claim(entry_ids, idle_ms=0)

    def let_go(self, entry_ids: Iterable[str]) -> None:
        """Whoever looks next may have them at once."""
        self._claim(entry_ids, idle_ms=self._claim_after_ms)

    def _claim(self, entry_ids: Iterable[str], idle_ms: int) -> None:
        ids: list[Any] = list(entry_ids)
        if ids:
            with suppress(*TROUBLE):
                # JUSTID: the text is here already.
                self._redis.xclaim(self._key, self._group, self._member, 0, ids, idle=idle_ms, justid=True)
