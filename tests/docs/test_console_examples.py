"""Every command line in the documents exists: words, options and arguments of `interlock`, targets of `make`."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
import yaml

from tests.docs.documents import PROJECT, Block, blocks
from workers.cli.main import app

_ENDS_A_COMMAND = {"|", ">", ">>", "<", "&", "&&", ";", "||"}


def lines_of(block: Block) -> Iterator[str]:
    """What is typed: the lines after the prompt, with those that continue them."""
    typed = re.findall(r"^\$ ((?:.*\\\n)*.*)$", block.text, flags=re.MULTILINE)
    for each in typed:
        yield each.replace("\\\n", " ")


def words_after(name: str, line: str) -> Iterator[list[str]]:
    """The arguments of each call of a program in a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _ENDS_A_COMMAND:
            if words or not re.match(r"\w+=", word):
                words.append(word)
            continue
        if words and words[0].rpartition("/")[2] == name:
            yield words[1:]
        words = []


CALLS = [(block, line) for block in blocks("console") for line in lines_of(block)]


def test_console_blocks_begin_their_lines_with_a_prompt() -> None:
    assert [str(block) for block in blocks("console") if not list(lines_of(block))] == []


@pytest.mark.parametrize(("block", "line"), CALLS, ids=lambda value: str(value)[:60])
def test_a_command_line_of_interlock_is_understood(block: Block, line: str) -> None:
    group = typer.main.get_command(app)
    for arguments in words_after("interlock", line):
        # Raises click's UsageError for what does not exist.
        _understand(group, arguments)


def _understand(command: Any, arguments: list[str]) -> None:
    context = command.make_context("interlock", list(arguments), resilient_parsing=False)
    rest = [*context._protected_args, *context.args]
    if hasattr(command, "commands"):
        assert rest, f"a word has to follow: {arguments}"
        named, following = command.get_command(context, rest[0]), rest[1:]
        assert named is not None, f"there is no word {rest[0]}"
        _understand(named, following)


@pytest.mark.parametrize(("block", "line"), CALLS, ids=lambda value: str(value)[:60])
def test_a_target_of_make_exists(block: Block, line: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE))
    for arguments in words_after("make", line):
        assert {word for word in arguments if "=" not in word} <= targets


@pytest.mark.parametrize(("block", "line"), CALLS, ids=lambda value: str(value)[:60])
def test_a_service_of_docker_compose_exists(block: Block, line: str) -> None:
    services = set(yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"])
    for arguments in words_after("docker", line):
        named = {word.partition("=")[0] for word in arguments if "=" in word}
        assert named <= services | {"POSTGRES_PASSWORD"}
