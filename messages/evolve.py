"""Changed copies of frozen values, at the speed of the hot path."""

from dataclasses import fields
from types import MemberDescriptorType
from typing import Any, TypeVar

T = TypeVar("T")


def evolve(value: T, /, **changes: Any) -> T:
    """The same value with some fields changed: `dataclasses.replace` for frozen dataclasses with slots.

    A run has some thirty fields: going through its slots takes 4 microseconds, through `__init__` 15.

    Raises:
        KeyError: there is no such field.
    """
    kind: type[Any] = type(value)
    copy: T = object.__new__(kind)
    members = _members(kind)
    for member in members.values():
        member.__set__(copy, member.__get__(value))
    for name, new in changes.items():
        members[name].__set__(copy, new)
    return copy


_KNOWN: dict[type[Any], dict[str, MemberDescriptorType]] = {}


def _members(kind: type[Any]) -> dict[str, MemberDescriptorType]:
    known = _KNOWN.get(kind)
    if known is None:
        if hasattr(kind, "__post_init__"):
            raise TypeError(f"{kind.__name__} checks itself when it is made: use dataclasses.replace")
        known = _KNOWN[kind] = {each.name: getattr(kind, each.name) for each in fields(kind)}
    return known
