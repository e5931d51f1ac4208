import subprocess
import sys
from pathlib import Path

from tests.cli.command import Shell

SLOW = ("alembic", "dramatiq", "psycopg", "pydantic", "redis", "sqlalchemy", "messages", "store")


def test_help_names_every_word_and_imports_nothing_slow(tmp_path: Path) -> None:
    look = (
        "import sys, contextlib, io; from workers.cli.main import main; sys.argv = ['interlock', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit): main()\n"
        f"print([name for name in {SLOW} if name in sys.modules]); print(out.getvalue())"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    slow, _, text = done.stdout.partition("\n")
    assert slow == "[]"
    words = [
        "up",
        "worker",
        "relay",
        "clock",
        "migrate",
        "send",
        "watch",
        "request",
        "doctor",
        "demo",
        "schema",
    ]
    assert [word for word in words if f" {word} " not in text] == []


def test_the_version_is_told(tmp_path: Path) -> None:
    told = Shell(tmp_path).run("--version")
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith("interlock 0.")


def test_an_unknown_word_or_option_is_wrong_usage(tmp_path: Path) -> None:
    assert Shell(tmp_path).run("wroker").status == 2
    assert Shell(tmp_path).run("worker", "--process", "0").status == 2
