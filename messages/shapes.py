"""Schemas of typed dictionaries: pydantic reads those of `typing` only from Python 3.12 on."""

from typing import Any, get_type_hints

from pydantic import GetPydanticSchema, create_model


def shape_of(typed_dict: type) -> GetPydanticSchema:
    """To annotate a TypedDict with, where a JSON Schema is to be made of it."""
    members: dict[str, Any] = {name: (hint, ...) for name, hint in get_type_hints(typed_dict).items()}
    model = create_model(typed_dict.__name__, **members)
    return GetPydanticSchema(lambda _, handler: handler(model))
