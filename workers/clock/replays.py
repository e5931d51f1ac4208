"""Dead letters without a command's id, which somebody wants to be read again, go back onto their queue."""

from datetime import datetime
from typing import Any

from pydantic_core import from_json

from messages.enqueue import dramatiq_message
from store import dead_letters
from store.dead_letters import Letter
from store.transaction import transaction
from workers.clock.duty import Means

# Of unknown size, up to some megabytes each.
AT_ONCE = 20
# Unless it is there: an earlier round may have sent it and not lived to note it.
_SEND = """
if redis.call('hsetnx', KEYS[1], ARGV[1], ARGV[2]) == 1 then redis.call('rpush', KEYS[2], ARGV[1]) end
"""


def send_replayed_letters(means: Means, _now: datetime) -> int:
    """Sent, then removed. If the removal is lost they are sent again, under the same ids."""
    sent = 0
    while not means.stopped.is_set():
        with transaction(means.engine) as connection:
            letters = dead_letters.to_send(connection, AT_ONCE)
            for letter in letters:
                _send(means, letter)
            dead_letters.delete(connection, [letter.id for letter in letters])
        sent += len(letters)
        if len(letters) < AT_ONCE:
            break
    return sent


def _send(means: Means, letter: Letter) -> None:
    key = f"{means.publisher.namespace}:{letter.queue}"
    means.publisher.client.eval(_SEND, 2, f"{key}.msgs", key, str(letter.id), message_of(letter))


def message_of(letter: Letter) -> bytes:
    """The bytes as they came; in a message, if it was one command of a batch, which came in none of its own."""
    try:
        value: Any = from_json(letter.body)
    except ValueError:
        return letter.body
    if isinstance(value, dict) and "args" not in value and "specversion" in value:
        return dramatiq_message(letter.queue, value)[1]
    return letter.body
