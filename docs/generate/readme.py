"""The tables of the README: settings, and the words of the command line."""

import re

import typer

from workers.cli.main import app
from workers.settings import Settings


def readme(text: str) -> str:
    """The README with its tables as the code has them."""
    return _between(_between(text, "settings", settings_table()), "commands", command_table())


def settings_table() -> str:
    """Every setting with its default."""
    rows = [f"| {row.name} | {_code(row.default)} | {row.description} |" for row in Settings.table()]
    return "\n".join(["| setting | default | what it is |", "| --- | --- | --- |", *rows])


def command_table() -> str:
    """Every word of the command line, with the first sentence of its help."""
    group = typer.main.get_group(app)
    rows = [
        f"| `interlock {name}` | {_first_sentence(group.commands[name].help or '')} |"
        for name in group.commands
    ]
    return "\n".join(["| command | what it does |", "| --- | --- |", *rows])


def _code(default: str) -> str:
    return f"`{default}`" if default else ""


def _first_sentence(text: str) -> str:
    line = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return re.split(r"(?<=\.)\s", line, maxsplit=1)[0].replace("|", r"\|")


def _between(text: str, name: str, body: str) -> str:
    pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    found, number = re.subn(pattern, lambda match: f"{match[1]}{body}\n{match[2]}", text, flags=re.DOTALL)
    if number != 1:
        raise ValueError(f"the text should have one part between <!-- {name} --> and <!-- /{name} -->")
    return found
