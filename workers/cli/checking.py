"""What is given on the command line, checked before anything is sent. Pure."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from messages.registry import INPUTS


def faults_of_type(message_type: object) -> list[str]:
    """What is wrong with the type of a command or query, with the nearest right one."""
    if message_type in INPUTS:
        return []
    near = get_close_matches(str(message_type), INPUTS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`interlock schema` lists them"
    return [f"there is no type {message_type!r}; {hint}"]


def faults_of_data(message_type: str, data: Mapping[str, Any]) -> list[str]:
    """What is wrong with the data of a command or query, one line each."""
    try:
        INPUTS[message_type].model_validate(data)
    except ValidationError as invalid:
        return described(invalid, "data")
    return []


def described(invalid: ValidationError, *prefix: str) -> list[str]:
    """pydantic's findings, one line each: where, and what."""
    return [
        f"{_place((*prefix, *each['loc']))}{each['msg'].removeprefix('Value error, ')}"
        for each in invalid.errors(include_url=False, include_context=False, include_input=False)
    ]


def _place(loc: Iterable[str | int]) -> str:
    place = ".".join(str(part) for part in loc)
    return f"{place}: " if place else ""
