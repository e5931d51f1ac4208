"""How the embedded PostgreSQL is made and run: durable commits, modest memory, no superuser in its URL."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from workers.embedded.binaries import postgres_programs
from workers.embedded.errors import EmbeddedError
from workers.embedded.home import HOST, Home
from workers.embedded.server import Launch
from workers.embedded.system_user import let_through, server_user
from workers.supervisor.lifeline import Program, spawn, stop_hard

ROLE = "interlock"
DATABASE = "interlock"
_INITDB = ("--username=postgres", "--auth=reject", "--encoding=UTF8", "--locale=C", "--no-instructions")
# Sorts text by code point, on every machine alike.
_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_INITDB_SECONDS = 120
# The role of the URL may do what the program and its tests need, and cannot run programs or read files.
_FIRST_STATEMENTS = f"""
CREATE ROLE {ROLE} LOGIN CREATEDB
GRANT pg_monitor, pg_checkpoint, pg_signal_backend TO {ROLE}
CREATE DATABASE {DATABASE} OWNER {ROLE}
"""
_HBA = f"host all {ROLE} {HOST}/32 trust\n"
_OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Rows and parameters stay out of the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
_OPTIONS_WITHOUT_DURABILITY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "256MB",
}


def postgres(home: Home, *, durable: bool) -> Launch:
    """`durable=False` is for tests: a crash of the machine may then destroy the data."""
    programs = postgres_programs()
    user = server_user()
    data = home.path / "postgres"
    if user is not None:
        let_through(user, data)
        let_through(user, programs / "postgres")
    if not data.exists():
        _make(data, programs, user)
    options = {**_OPTIONS, **({} if durable else _OPTIONS_WITHOUT_DURABILITY)}
    port = home.port_for("postgres")
    options["port"] = str(port)
    words = (word for name, value in options.items() for word in ("-c", f"{name}={value}"))
    return Launch(
        title="PostgreSQL",
        url=f"postgresql://{ROLE}@{HOST}:{port}/{DATABASE}",
        argv=(str(programs / "postgres"), "-D", str(data), *words),
        log_path=home.path / "postgres.log",
        stop_signal=signal.SIGINT,
        lock_fd=home.lock_fd,
        answers=_ready_check(data),
        user=user,
    )


def _ready_check(data: Path) -> Callable[[], bool]:
    pid_file = data / "postmaster.pid"
    # Left by a server that was killed, it may still say "ready".
    pid_file.unlink(missing_ok=True)

    def answers() -> bool:
        try:
            lines = pid_file.read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    return answers


def _make(data: Path, programs: Path, user: str | None) -> None:
    """Make the data folder beside its place and move it there when it is complete."""
    unfinished = data.with_name("postgres.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(unfinished, user)
    _run((str(programs / "initdb"), "-D", str(unfinished), *_INITDB, *_LOCALE), user)
    (unfinished / "pg_hba.conf").write_text(_HBA)
    single_user = (str(programs / "postgres"), "--single", "-D", str(unfinished), "postgres")
    _run(single_user, user, _FIRST_STATEMENTS)
    unfinished.rename(data)


def _run(argv: tuple[str, ...], user: str | None, given: str = "") -> None:
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as output:
        stdin.write(given.encode())
        stdin.seek(0)
        program = Program(argv, user=user, stdin=stdin.fileno(), output=output.fileno())
        if _status_of(program) != 0:
            output.seek(0)
            words = output.read().decode(errors="replace").strip()
            raise EmbeddedError(f"{Path(argv[0]).name} could not make a new database:\n{words}")


def _status_of(program: Program) -> int | None:
    try:
        process = spawn(program, signal.SIGKILL)
    except OSError as fault:
        by = f" by the user {program.user}" if program.user else ""
        raise EmbeddedError(f"{program.argv[0]} cannot be run{by}: {fault.strerror}.") from None
    try:
        return process.wait(timeout=_INITDB_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    finally:
        stop_hard(process)
