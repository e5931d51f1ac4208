"""Dead letters as people name them: by their ids, or by the beginning of one that no other has."""

from collections.abc import Sequence

from messages.fields import Id
from store.reads.abbreviations import beginning_with
from store.transaction import Connection

SHOWN = 5


class NotOne(Exception):
    """Raised where a beginning is that of no letter, or of several."""

    def __init__(self, given: str, found: Sequence[Id]) -> None:
        self.given, self.found = given, found
        if not found:
            super().__init__(
                f"there is no dead letter {given!r}; `interlock deadletters list` shows all of them"
            )
        else:
            some = ", ".join(map(str, found[:SHOWN]))
            more = " and others" if len(found) > SHOWN else ""
            super().__init__(f"{given!r} begins the ids of several dead letters: {some}{more}")


def find_letter(connection: Connection, given: str) -> Id:
    """The id of the one letter that is meant.

    Raises:
        NotOne: there is none, or there are several.
    """
    found = beginning_with(connection, "dead_letter", given, SHOWN + 1)
    if len(found) != 1:
        raise NotOne(given, found)
    return found[0]
