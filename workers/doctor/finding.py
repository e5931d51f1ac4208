"""What a check has found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, how it went, what was found, and what to do about it."""

    name: str
    level: Level
    found: str
    advice: str = ""
    #: a server does not answer, so that nothing else can be told of it
    is_away: bool = False


def ok(name: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(name, Level.OK, found)


def warn(name: str, found: str, advice: str) -> Finding:
    """It works, but."""
    return Finding(name, Level.WARN, found, advice)


def fail(name: str, found: str, advice: str) -> Finding:
    """It does not work, or commands can be lost."""
    return Finding(name, Level.FAIL, found, advice)


def away(name: str, found: str, advice: str) -> Finding:
    """There is no server to ask."""
    return Finding(name, Level.FAIL, found, advice, is_away=True)
