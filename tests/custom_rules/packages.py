"""Packages with entry points, installed into a folder: the files that pip would leave there, without pip."""

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "custom_rules"


def install(source: Path, site: Path) -> None:
    """The project in this folder, with its modules and its entry points."""
    project = tomllib.loads((source / "pyproject.toml").read_text())
    for module in project["tool"]["setuptools"]["py-modules"]:
        shutil.copy(source / f"{module}.py", site)
    about = project["project"]
    _describe(site, about["name"], about["version"], about["entry-points"])


def install_module(
    site: Path, package: str, code: str, entry_points: Mapping[str, Mapping[str, str]]
) -> None:
    """A package of one module, named as the package is with underscores."""
    (site / f"{package.replace('-', '_')}.py").write_text(code)
    _describe(site, package, "1.0", entry_points)


def _describe(site: Path, package: str, version: str, groups: Mapping[str, Mapping[str, str]]) -> None:
    info = site / f"{package.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
