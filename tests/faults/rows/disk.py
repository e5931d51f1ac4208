"""No space is left: for PostgreSQL's data, for its log, for Redis's append-only file."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.row import Row, without_root
from tests.faults.stage import Plan, Stage

_DATABASE_MIB, _LOG_MIB, _REDIS_MIB = 160, 80, 64


@contextmanager
def small_volume(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A volume of its own where the folder was, with what was in it."""
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    folder.mkdir()
    shutil.copystat(aside, folder)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)], check=True)
    try:
        owner = aside.stat()
        shutil.chown(folder, owner.st_uid, owner.st_gid)
        folder.chmod(owner.st_mode)
        subprocess.run(["cp", "-a", f"{aside}/.", str(folder)], check=True)
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def filled(volume: Path) -> Iterator[None]:
    """Not a byte is left until the end of the block."""
    filler = volume / "filler"
    try:
        with filler.open("wb") as file:
            while True:
                file.write(bytes(65_536))
                file.flush()
    except OSError:
        pass
    yield
    filler.unlink()


def database_full(stage: Stage, number: int) -> None:
    server = stage.servers.postgres
    data = Path(server.launch.argv[2])
    server.stop_fast()
    with small_volume(data, _DATABASE_MIB) as volume:
        server.start()
        try:
            _fill_again_and_again(stage, volume, "data", number)
        finally:
            stage.finish_early()
            server.stop_immediately()


def log_full(stage: Stage, number: int) -> None:
    server = stage.servers.postgres
    server.stop_fast()
    with small_volume(Path(server.launch.argv[2]) / "pg_wal", _LOG_MIB) as volume:
        server.start()
        try:
            _fill_again_and_again(stage, volume, "log", number)
        finally:
            stage.finish_early()
            server.stop_immediately()


def _fill_again_and_again(stage: Stage, volume: Path, what: str, number: int) -> None:
    server = stage.servers.postgres
    for _ in range(number):
        with stage.fault(f"no space for PostgreSQL's {what}"), server.session() as connection:
            with filled(volume):
                # The space that it has set aside goes first.
                _use_up(connection)
                time.sleep(1.0)
            # One that has given up is started again by its supervisor.
            if not server.answers():
                server.start()


def _use_up(connection: object) -> None:
    import psycopg

    assert isinstance(connection, psycopg.Connection)
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS filler (text text)")
        connection.execute(
            "INSERT INTO filler SELECT repeat(md5(random()::text), 60) FROM generate_series(1, 40000)"
        )
    except psycopg.Error:
        return
    finally:
        with suppress(psycopg.Error):
            connection.execute("DROP TABLE IF EXISTS filler")


def redis_full(stage: Stage, number: int) -> None:
    server = stage.servers.redis
    data = Path(server.launch.argv[server.launch.argv.index("--dir") + 1])
    server.kill()
    with small_volume(data, _REDIS_MIB) as volume:
        server.start()
        try:
            for turn in range(number):
                with stage.fault("no space for Redis's append-only file"):
                    with filled(volume):
                        time.sleep(1.5)
                        if turn == 0:
                            stage.an_alarm("Redis")
                    # One that has given up is started again by its supervisor.
                    if not server.answers():
                        server.start()
        finally:
            stage.finish_early()
            server.kill()


def no_mounts() -> str | None:
    return without_root("mount", "umount")


_ALWAYS = {"appendonly": "yes", "appendfsync": "always"}
ROWS = (
    Row("24 data", "no space left for PostgreSQL's data", database_full, "disk data",
        Plan(postgres={"max_wal_size": "64MB"}, recovers_within_s=60), few=1, hindrance=no_mounts),
    Row("24 log", "no space left for PostgreSQL's write-ahead log", log_full, "disk log",
        Plan(postgres={"max_wal_size": "32MB", "min_wal_size": "32MB"}, recovers_within_s=60), few=0,
        hindrance=no_mounts),
    Row("24 redis", "no space left for Redis's append-only file", redis_full, "disk redis",
        Plan(redis=_ALWAYS, recovers_within_s=60, answers_get_lost=True), few=0, hindrance=no_mounts),
)  # fmt: skip
