"""The data of a state, which is the result of a run: what is kept of it, and what is told at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNPERSISTED = "unpersisted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultArtifact:
    """A result as it is to be kept."""

    key: str | None = None
    type: str | None = None
    description: str | None = None
    data: Any


def split_result(data: Any) -> tuple[Any, ResultArtifact | None]:
    """What to echo to the caller, and what to keep. What is not kept reads as null later."""
    if data is None or is_unpersisted(data):
        return data, None
    if not isinstance(data, Mapping):
        return data, ResultArtifact(data=data)
    rest = {name: value for name, value in data.items() if name not in _ARTIFACT_KEYS}
    named = {field: _text(data.get(key)) for key, field in _ARTIFACT_KEYS.items()}
    return rest, ResultArtifact(data=rest, **named)


def is_unpersisted(data: Any) -> bool:
    """Whether the client kept the result to itself: the data only say that there is one."""
    return isinstance(data, Mapping) and data.get("type") == UNPERSISTED


def has_result_to_lose(data: Any) -> bool:
    """Whether these data are a result that another run of the same would overwrite. Empty data are none."""
    return bool(data) and not is_unpersisted(data)


_ARTIFACT_KEYS = {"artifact_key": "key", "artifact_type": "type", "artifact_description": "description"}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
