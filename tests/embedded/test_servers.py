import errno
import logging
import os
import socket
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from workers.embedded import EmbeddedError, EmbeddedServers

log = logging.getLogger(__name__)


def started(home: Path) -> EmbeddedServers:
    return EmbeddedServers.start(home, log=log)


def database_answers(servers: EmbeddedServers, statement: str) -> object:
    with psycopg.connect(servers.database_url) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row and row[0]


def test_both_start_answer_and_stop(new_home: Path) -> None:
    with started(new_home) as servers, Redis.from_url(servers.redis_url) as redis:
        assert str(database_answers(servers, "SHOW server_version")).startswith("18.")
        assert redis.ping()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(servers.database_url)


def test_what_they_confirm_is_durable(home: Path) -> None:
    with started(home) as servers, Redis.from_url(servers.redis_url, decode_responses=True) as redis:
        assert database_answers(servers, "SHOW fsync") == "on"
        assert database_answers(servers, "SHOW synchronous_commit") == "on"
        assert redis.config_get("append*")["appendonly"] == "yes"
        assert redis.config_get("append*")["appendfsync"] == "everysec"
        assert redis.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert int(redis.config_get("auto-aof-rewrite-min-size")["auto-aof-rewrite-min-size"]) == 512 * 2**20
        assert redis.config_get("rdbcompression")["rdbcompression"] == "no"


def test_the_role_in_the_url_is_no_superuser(home: Path) -> None:
    with started(home) as servers:
        assert database_answers(servers, "SHOW is_superuser") == "off"
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(servers.database_url.replace("//interlock@", "//postgres@"))


def test_data_and_urls_survive_a_restart(home: Path) -> None:
    with started(home) as first, Redis.from_url(first.redis_url) as redis:
        with psycopg.connect(first.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        redis.set("kept", "42")
    with started(home) as second, Redis.from_url(second.redis_url) as redis:
        assert (second.database_url, second.redis_url) == (first.database_url, first.redis_url)
        assert database_answers(second, "SELECT answer FROM kept") == 42
        assert redis.get("kept") == b"42"


def test_two_homes_are_up_side_by_side(home: Path, new_home: Path) -> None:
    with started(home) as one, started(new_home) as other:
        assert one.database_url != other.database_url
        with Redis.from_url(one.redis_url) as redis, Redis.from_url(other.redis_url) as other_redis:
            redis.set("here", "1")
            assert other_redis.get("here") is None


def test_a_home_in_use_is_refused_and_named_with_its_holder(home: Path) -> None:
    with started(home) as servers:
        with pytest.raises(
            EmbeddedError, match=rf"{home} is in use by process {os.getpid()}\. .*INTERLOCK_HOME"
        ):
            started(home)
        assert database_answers(servers, "SELECT 1") == 1


def test_another_port_is_used_when_the_old_one_is_taken(home: Path) -> None:
    with started(home) as first:
        taken = int(first.redis_url.rpartition(":")[2].partition("/")[0])
    with socket.create_server(("127.0.0.1", taken)), started(home) as second:
        assert second.redis_url != first.redis_url
        assert second.database_url == first.database_url


def test_a_home_that_cannot_be_written_gives_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match=r"^Cannot write to .*/file/home \(.*\)\. .*INTERLOCK_HOME\.$"):
        started(tmp_path / "file" / "home")


def test_damaged_data_are_reported_with_the_words_of_the_server(new_home: Path) -> None:
    started(new_home).stop()
    (new_home / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedError) as caught:
        started(new_home)
    assert "PostgreSQL did not start" in str(caught.value)
    assert "pg_control" in str(caught.value)
    assert "restore a backup" in str(caught.value)


def test_a_damaged_append_only_file_is_reported_too(new_home: Path) -> None:
    started(new_home).stop()
    (manifest,) = (new_home / "valkey" / "appendonlydir").glob("*.manifest")
    manifest.write_text("nonsense\n")
    with pytest.raises(EmbeddedError, match="Valkey did not start"):
        started(new_home)


def test_a_half_made_database_is_made_anew(new_home: Path) -> None:
    (new_home / "postgres.unfinished" / "base").mkdir(parents=True)
    with started(new_home) as servers:
        assert database_answers(servers, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="as another user PostgreSQL runs as that user")
def test_as_root_a_home_in_a_private_folder_works(new_home: Path) -> None:
    private = new_home.parent / "private"
    private.mkdir(mode=0o700)
    with started(private / "home") as servers:
        assert database_answers(servers, "SELECT 1") == 1
    assert private.stat().st_mode & 0o007 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="as another user PostgreSQL runs as that user")
def test_where_postgres_cannot_be_let_through_the_folder_is_named(
    new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_user: str, _folder: Path) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr("workers.embedded.system_user.let_pass", refuse)
    new_home.parent.chmod(0o700)
    with pytest.raises(EmbeddedError, match=f"may not pass through {new_home.parent} .*chmod o\\+x"):
        started(new_home)
