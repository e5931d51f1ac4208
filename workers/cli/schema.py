"""`interlock schema`: what can be said and heard, as documents made from the models."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from workers.cli.failures import WRONG_USAGE, Complaint


def schema(
    directory: Annotated[
        Path | None,
        typer.Option(
            "--json-schema", metavar="DIR", help="Write a JSON Schema for each message into this folder."
        ),
    ] = None,
    message_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="The JSON Schema of this message alone.")
    ] = None,
) -> None:
    """Print the AsyncAPI 3 document of all commands, queries, results and events; or JSON Schemas."""
    from messages.asyncapi import document, json_schemas

    if directory is not None and message_type is not None:
        raise Complaint("--json-schema writes all types: leave out --type", WRONG_USAGE)
    if directory is not None:
        _write(directory, json_schemas())
    elif message_type is not None:
        _print(_one(json_schemas(), message_type))
    else:
        _print(document())


def _one(schemas: dict[str, Any], message_type: str) -> Any:
    if message_type not in schemas:
        from difflib import get_close_matches

        near = get_close_matches(message_type, schemas, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`interlock schema` describes them all"
        raise Complaint(f"there is no message {message_type!r}; {hint}", WRONG_USAGE)
    return schemas[message_type]


def _write(directory: Path, schemas: dict[str, Any]) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in schemas.items():
            (directory / f"{name}.json").write_text(_text(content), encoding="utf-8")
    except OSError as error:
        raise Complaint(f"{directory} cannot be written to: {error.strerror}", WRONG_USAGE) from None
    typer.echo(f"{len(schemas)} schemas in {directory}", err=True)


def _print(content: Any) -> None:
    if sys.stdout.isatty():
        from workers.cli.screen import print_json, screen

        print_json(screen(), content)
    else:
        sys.stdout.write(_text(content))


def _text(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
