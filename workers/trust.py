"""Whom to trust with what, as an operator writes it: signing keys, their rules, and patterns. Pure."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from json import JSONDecodeError, loads
from typing import Any

#: The rule of every key that has none of its own.
EVERY_OTHER_KEY = "*"
# A key id stands between colons in a signature.
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_PATTERN = re.compile(r"[A-Za-z0-9._:/*-]{1,300}")
# What RFC 2104 advises at least, for HMAC-SHA256.
ADVISED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Patterns:
    """Texts in which `*` stands for any characters, or none."""

    texts: tuple[str, ...]

    def allow(self, text: str) -> bool:
        """Whether one of the patterns is the whole of this text."""
        return any(_matches(pattern, text) for pattern in self.texts)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a key may be used for; None: anything."""

    sources: Patterns | None = None
    types: Patterns | None = None


def patterns(texts: Iterable[str]) -> Patterns:
    """Patterns, checked.

    Raises:
        ValueError: if one holds a character that no name has.
    """
    given = tuple(texts)
    for text in given:
        if _PATTERN.fullmatch(text) is None:
            raise ValueError(f"{text!r} should hold letters, digits and . _ : / - and, for any characters, *")
    return Patterns(given)


def keys_of(text: str) -> dict[str, bytes]:
    """The secrets in `{"KEYID": "base64 secret", ...}`, by key id; none for an empty text.

    Raises:
        ValueError: says what is wrong, without the secret.
    """
    keys = {}
    for key_id, secret in _object_in(text).items():
        if _KEY_ID.fullmatch(key_id) is None:
            raise ValueError(f"the key id {key_id!r} should be 1 to 100 letters, digits and . _ -")
        keys[key_id] = _secret(key_id, secret)
    return keys


def rules_of(text: str) -> dict[str, Rule]:
    """The rules in `{"KEYID": {"sources": [PATTERN, ...], "types": [PATTERN, ...]}, ...}`, by key id.

    Raises:
        ValueError: says what is wrong.
    """
    return {key_id: _rule(key_id, rule) for key_id, rule in _object_in(text).items()}


def rule_for(key_id: str, rules: Mapping[str, Rule]) -> Rule:
    """The rule of a key: its own, or that of every other key, or one that allows anything."""
    return rules.get(key_id) or rules.get(EVERY_OTHER_KEY) or Rule()


def _secret(key_id: str, secret: Any) -> bytes:
    try:
        decoded = b64decode(secret, validate=True) if isinstance(secret, str) else b""
    except (NotBase64, ValueError):
        decoded = b""
    if not decoded:
        raise ValueError(
            f"the secret of {key_id!r} should be a text in base64, such as `openssl rand -base64 32` makes"
        )
    return decoded


def _rule(key_id: str, rule: Any) -> Rule:
    if not isinstance(rule, dict) or not rule or not rule.keys() <= {"sources", "types"}:
        raise ValueError(f'the rule of {key_id!r} should be an object with "sources", "types" or both')
    parts = {name: _rule_patterns(f"{name} of {key_id!r}", given) for name, given in rule.items()}
    return Rule(**parts)


def _rule_patterns(what: str, given: Any) -> Patterns:
    if not isinstance(given, list) or not given or not all(isinstance(each, str) for each in given):
        raise ValueError(f"the {what} should be a list of one or more patterns")
    try:
        return patterns(given)
    except ValueError as fault:
        raise ValueError(f"the {what}: {fault}") from None


def _object_in(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        value = loads(text, object_pairs_hook=_without_repeats)
    except JSONDecodeError as fault:
        raise ValueError(f"is no JSON: {fault.msg} at character {fault.pos}") from None
    if not isinstance(value, dict):
        raise ValueError("should be a JSON object, with a member for each key id")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("names something twice")
    return members


def _matches(pattern: str, text: str) -> bool:
    """Each part between the stars is looked for behind the one before it: no pattern takes long."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if not text.startswith(first) or len(text) < len(first) + len(rest[-1]) or not text.endswith(rest[-1]):
        return False
    place, end = len(first), len(text) - len(rest[-1])
    for part in rest[:-1]:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
