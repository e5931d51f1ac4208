"""The Dockerfile: no Docker is needed to see that it copies what it needs, and that its commands do their work."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest
from dockerfile_parse import DockerfileParser

from workers.cli.main import app

BUILD_FOLDERS = ("/opt/interlock", "/src")


class Instruction(NamedTuple):
    name: str
    value: str


@pytest.fixture
def instructions(project: Path, tmp_path: Path) -> list[Instruction]:
    # A copy: the parser creates what it does not find.
    copy = tmp_path / "Dockerfile"
    shutil.copyfile(project / "Dockerfile", copy)
    parsed = DockerfileParser(path=str(copy)).structure
    return [
        Instruction(each["instruction"], each["value"]) for each in parsed if each["instruction"] != "COMMENT"
    ]


def values_of(instructions: list[Instruction], name: str) -> list[str]:
    return [each.value for each in instructions if each.name == name]


def test_the_image_is_built_in_stages_on_a_pinned_python(instructions: list[Instruction]) -> None:
    assert values_of(instructions, "FROM") == ["python:3.11-slim AS build", "python:3.11-slim"]


def test_it_runs_as_a_user_without_rights(instructions: list[Instruction]) -> None:
    assert values_of(instructions, "USER") == ["10001:10001"]
    added = next(value for value in values_of(instructions, "RUN") if "useradd" in value)
    assert "--uid 10001" in added


def test_one_image_has_all_roles(instructions: list[Instruction]) -> None:
    assert values_of(instructions, "ENTRYPOINT") == ['["interlock"]']
    assert values_of(instructions, "CMD") == ['["worker"]']
    assert values_of(instructions, "STOPSIGNAL") == ["SIGTERM"]


def test_its_health_is_what_the_doctor_says(instructions: list[Instruction]) -> None:
    command = json.loads(values_of(instructions, "HEALTHCHECK")[0].partition("CMD ")[2])

    assert command[0] == "interlock"
    assert command[1] in {each.callback.__name__ for each in app.registered_commands if each.callback}


def test_dependencies_have_a_layer_that_changes_only_with_them(instructions: list[Instruction]) -> None:
    order = [each.value for each in instructions if each.name in ("COPY", "RUN")]
    installed = next(number for number, value in enumerate(order) if "'.[server,notify,dashboard]'" in value)

    assert "pyproject.toml constraints.txt ./" in order[:installed]
    assert not [value for value in order[:installed] if "workers" in value]


def test_what_it_copies_is_let_through_by_dockerignore(
    project: Path, instructions: list[Instruction]
) -> None:
    lines = (project / ".dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in lines if line.startswith("!")}

    assert "*" in lines
    for value in values_of(instructions, "COPY"):
        if "--from=" not in value:
            for source in value.split()[:-1]:
                assert any(fnmatch(source, pattern) for pattern in let_through), source
                assert (project / source).exists()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can read, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="interlock-image-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.slow
def test_its_commands_make_an_environment_in_which_interlock_runs(
    project: Path, instructions: list[Instruction], open_folder: Path
) -> None:
    build = _first_stage(instructions)
    folders = {folder: str(open_folder / folder.strip("/")) for folder in BUILD_FOLDERS}
    source = Path(folders["/src"])
    source.mkdir(parents=True)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    for each in build:
        value = _within(each.value, folders)
        if each.name == "ENV":
            # All but the cache: here it saves half the time.
            given = dict(re.findall(r"(\w+)=(\S+)", value))
            environment |= {name: text for name, text in given.items() if name != "PIP_NO_CACHE_DIR"}
        elif each.name == "COPY":
            _copy(project, source, value)
        elif each.name == "RUN":
            _run(["sh", "-ec", value], source, environment)

    interlock = Path(folders["/opt/interlock"]) / "bin" / "interlock"
    # From the installed package alone, not from the sources around it.
    shutil.rmtree(source)
    assert "interlock 0." in _run([*_as_nobody(), str(interlock), "--version"], Path("/"), environment)
    for word in ("worker", "migrate", "doctor", "schema"):
        _run([*_as_nobody(), str(interlock), word, "--help"], Path("/"), environment)
    assert "asyncapi" in _run([*_as_nobody(), str(interlock), "schema"], Path("/"), environment)


def _first_stage(instructions: list[Instruction]) -> list[Instruction]:
    froms = [number for number, each in enumerate(instructions) if each.name == "FROM"]
    return instructions[froms[0] + 1 : froms[1]]


def _within(value: str, folders: dict[str, str]) -> str:
    for folder, stands_for in folders.items():
        value = value.replace(folder, stands_for)
    return value


def _copy(project: Path, source: Path, value: str) -> None:
    *names, target = value.split()
    for name in names:
        if (project / name).is_dir():
            shutil.copytree(
                project / name, source / target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
            )
        else:
            shutil.copy(project / name, source / target)


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    process = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert process.returncode == 0, f"{command}\n{process.stdout}{process.stderr}"
    return process.stdout


def _as_nobody() -> list[str]:
    """Becomes a user without rights, where this process may, and where that user can read Python at all."""
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return []
    python = [*become, str(Path(sys.executable).resolve()), "-c", ""]
    return become if subprocess.run(python, capture_output=True, check=False).returncode == 0 else []
