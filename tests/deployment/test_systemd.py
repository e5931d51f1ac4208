"""deploy/systemd: one unit a role."""

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from workers.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = {
    "interlock-worker@.service": "worker",
    "interlock-relay.service": "relay",
    "interlock-clock.service": "clock",
}


class Unit(RawConfigParser):
    """A unit file; the names in it keep their case."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def read(name: str) -> Unit:
    unit = Unit(strict=True)
    unit.read_string((FOLDER / name).read_text())
    return unit


def test_there_is_a_unit_for_each_role() -> None:
    assert {path.name for path in FOLDER.glob("*.service")} == set(UNITS)


@pytest.mark.parametrize(("name", "role"), UNITS.items())
def test_a_unit_runs_its_role_and_starts_it_again(name: str, role: str) -> None:
    service = read(name)["Service"]

    assert service["ExecStart"].split() == ["/opt/interlock/bin/interlock", role]
    assert service["Restart"] == "always"
    assert service["User"] != "root"


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_gives_time_to_finish(name: str) -> None:
    service = read(name)["Service"]

    assert service["KillMode"] == "mixed"
    assert float(service["TimeoutStopSec"]) > Settings().shutdown_timeout.total_seconds()


def test_the_environment_holds_only_settings_that_exist() -> None:
    lines = (FOLDER / "interlock.env.example").read_text().splitlines()
    names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}

    assert names <= {row.name for row in Settings.table()}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        # The program is not installed here; any other stands in for it.
        text = re.sub(
            r"^ExecStart=\S+", "ExecStart=/bin/true", (FOLDER / name).read_text(), flags=re.MULTILINE
        )
        (tmp_path / name).write_text(text)

    units = [tmp_path / name.replace("@.", "@1.") for name in UNITS]
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
    )

    assert str(tmp_path) not in verified.stderr, verified.stderr
    assert "interlock" not in verified.stderr, verified.stderr
