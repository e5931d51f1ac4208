import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.servers import quick_place

COMMAND = (
    sys.executable,
    "-c",
    "import sys\n"
    "from workers.demo.run import demo\n"
    "from workers.settings import Settings\n"
    "sys.exit(demo(Settings(), as_json='--json' in sys.argv))",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """For temporary files: shows what is left in it. pytest's own are closed to the user that PostgreSQL runs as."""
    with TemporaryDirectory(prefix="interlock-demo-test-", dir=quick_place()) as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def temporary(folder: Path) -> dict[str, str]:
    """The environment, with a folder of its own for temporary files."""
    return {**os.environ, "TMPDIR": str(folder), "COLUMNS": "80"}


def test_the_small_recording_is_answered_as_it_should_be(temporary: dict[str, str], folder: Path) -> None:
    done = subprocess.run(COMMAND, env=temporary, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "\x1b" not in done.stdout
    table = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.startswith(" ")}
    assert table["all"], done.stdout
    assert sum(int(number) for number in table["all"]) == 205
    assert int(table["task_run.create"][0]) == 36
    assert "of 157 recorded answers are the same" in done.stdout
    assert "Every command was answered, and every difference has its reason." in done.stdout
    assert max(len(line) for line in done.stdout.split("Answers")[1].splitlines()) <= 80
    assert list(folder.glob("interlock-demo-*")) == []


def test_ctrl_c_leaves_nothing_behind(temporary: dict[str, str], folder: Path) -> None:
    demo = subprocess.Popen(
        COMMAND, env=temporary, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    _wait_for(lambda: any(folder.glob("interlock-demo-*/relay.log")))

    demo.send_signal(signal.SIGINT)
    _, errors = demo.communicate(timeout=30)

    assert demo.returncode == 130, errors
    assert errors == "Stopped; nothing is left running.\n"
    assert list(folder.glob("interlock-demo-*")) == []
    assert not [line for line in _command_lines() if str(folder) in line]


def _wait_for(what: Callable[[], bool], seconds: float = 40.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up_at
        time.sleep(0.1)


def _command_lines() -> list[str]:
    return [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
