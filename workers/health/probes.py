"""What makes a process ready: both servers answer, the schema fits, Redis takes writes, the loop turns."""

from threading import Lock

import redis

from messages.streams import connect
from store.engine import Timeouts, open_engine
from store.errors import StoreError
from store.migrate import require_current
from store.transaction import session
from workers.health.pulse import Pulse
from workers.now import monotonic
from workers.settings import Settings

#: A loop that has not come round for so long hangs: everything in it has shorter time limits.
HANGS_AFTER_S = 120.0
_LATE_AFTER_S = 30.0
_FRESH_S = 1.0
_QUICK = Timeouts(statement_ms=2_000, lock_ms=1_000, connect_s=2)


class Probes:
    """Answers probes; servers are asked once a second at most, however many probes come."""

    def __init__(self, settings: Settings, pulse: Pulse) -> None:
        self._pulse = pulse
        self._key = f"{settings.namespace}:probe"
        self._engine = open_engine(
            settings.database_url, pool_size=1, timeouts=_QUICK, application="interlock health"
        )
        self._client = connect(settings.redis_url)
        self._lock = Lock()
        self._asked, self._faults = float("-inf"), list[str]()

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()
        self._client.close()

    def hangs(self) -> str | None:
        """Why this process should be started again, if it should. The trouble of servers is no reason."""
        age_s = self._pulse.age_s
        return f"the loop has not come round for {age_s:.0f} s" if age_s > HANGS_AFTER_S else None

    def faults(self) -> list[str]:
        """Why this process cannot do its work now; nothing if it can."""
        with self._lock:
            if monotonic() - self._asked > _FRESH_S:
                self._faults = [fault for fault in (self._database(), self._redis()) if fault is not None]
                self._asked = monotonic()
            faults = list(self._faults)
        if self._pulse.age_s > _LATE_AFTER_S:
            faults.append(f"the loop has not come round for {self._pulse.age_s:.0f} s")
        return faults

    def _database(self) -> str | None:
        try:
            with session(self._engine):
                pass
            require_current(self._engine)
        except StoreError as error:
            return f"PostgreSQL: {_first_line(error)}"
        return None

    def _redis(self) -> str | None:
        try:
            self._client.set(self._key, "1", px=10_000)
        except (redis.RedisError, OSError) as error:
            return f"Redis: {_first_line(error)}"
        return None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
