"""Dead letters, for people who look."""

from messages.fields import Id
from store import driver
from store.dead_letters import Letter
from store.transaction import Connection

#: of a message, so many bytes are shown
SHOWN_BYTES = 20_000
_PAGE = f"""
SELECT id, created, queue, reason, command_id, type, source, attempts,
  substring(body FROM 1 FOR {SHOWN_BYTES}) AS body, octet_length(body) AS size
FROM dead_letter
WHERE replayed IS NULL AND (CAST(%(before)s AS uuid) IS NULL
  OR (created, id) < (SELECT created, id FROM dead_letter WHERE id = CAST(%(before)s AS uuid)))
ORDER BY created DESC, id DESC LIMIT %(most)s
"""


def dead_letters(connection: Connection, before: Id | None, most: int) -> list[Letter]:
    """The latest first, with the beginning of their bodies; those that come after the letter `before` in that order."""
    parameters = {"before": None if before is None else str(before), "most": most}
    return [Letter(**row) for row in driver.records(connection, _PAGE, parameters)]
