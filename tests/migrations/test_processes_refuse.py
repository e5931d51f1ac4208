"""Worker and relay start on the schema that they were made for, and on no other."""

import os
import subprocess
import sys

import psycopg
import pytest

from tests.crashes.processes import PROJECT, environment_of
from workers.settings import Settings


def said_by(role: str, settings: Settings) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli.main", role],
        check=False,
        cwd=PROJECT,
        env={**os.environ, **environment_of(settings)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize("role", ["worker", "relay", "clock"])
def test_a_process_refuses_an_older_schema(role: str, empty_database_url: str, settings: Settings) -> None:
    older = settings.model_copy(update={"database_url": empty_database_url})
    assert "run `interlock migrate`" in said_by(role, older)


def test_a_process_refuses_a_newer_schema(settings: Settings) -> None:
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "upgrade Interlock" in said_by("worker", settings)
