"""What holds for the code as a whole, lest it wear away."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from workers.settings import Settings

PROJECT = Path(__file__).parents[2]
PACKAGES = ("messages", "store", "workers")
LONGEST_FILE = 400
# A migration is a record of what was done, and is never shortened.
MAY_BE_LONG = ("store/migrations/versions/",)
VAGUE = re.compile(r"(?:^|_)(?:utils?|common|base|managers?|helpers?)(?:_|$)")
SETTINGS = re.compile(r"<!-- settings -->(.*?)<!-- /settings -->", re.DOTALL)
# Where a checkout lies is nobody's business.
MACHINE_PATHS = re.compile(r"(?<![\w.}-])/(?:work|home|root|farm|Users)/\w")
# Paths inside of a container are nobody's machine.
OF_CONTAINERS = {"Dockerfile", "docker-compose.yml"}
WRITTEN_BY_PEOPLE = {
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".lua",
    ".mjs",
    ".sql",
    ".mako",
    ".txt",
    ".cfg",
    "",
}


def files() -> Iterator[Path]:
    """What is, or may become, part of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (PROJECT / name).is_file():
            yield PROJECT / name


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def python_files() -> Iterator[Path]:
    for path in files():
        if path.suffix == ".py" and name_of(path).startswith((*(f"{each}/" for each in PACKAGES), "tests/")):
            yield path


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(linter), "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in python_files()}
    assert len(lengths) > 100
    too_long = {
        name: length
        for name, length in lengths.items()
        if length > LONGEST_FILE and not name.startswith(MAY_BE_LONG)
    }
    assert too_long == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name_of(path) for path in python_files() if VAGUE.search(path.stem)] == []


def test_every_module_says_what_its_duty_is() -> None:
    silent = [
        name_of(path)
        for path in python_files()
        if name_of(path).startswith(PACKAGES) and path.name != "__init__.py"
        if not path.read_text().startswith('"""')
    ]
    assert silent == []


def test_the_readme_lists_the_settings_as_they_are() -> None:
    readme = PROJECT / "README.md"
    table = SETTINGS.search(readme.read_text())
    assert table is not None, "between <!-- settings --> and <!-- /settings -->"
    rows = [
        tuple(cell.strip().strip("`") for cell in line.strip("| ").split("|"))
        for line in table[1].splitlines()
    ]
    listed = [row for row in rows if row[0].startswith("INTERLOCK_")]
    assert listed == [tuple(each) for each in Settings.table()]


def test_nothing_names_a_place_on_somebodys_machine() -> None:
    named = {}
    for path in files():
        if path.suffix in WRITTEN_BY_PEOPLE and path.name not in OF_CONTAINERS and path != Path(__file__):
            found = MACHINE_PATHS.findall(path.read_text(errors="replace"))
            if found:
                named[name_of(path)] = found
    assert named == {}
