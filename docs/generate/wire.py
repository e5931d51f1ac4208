"""docs/wire.md: every message, as it went over the wire in a real conversation."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from docs.generate import story
from docs.generate.conversation import Envelope, Held, Plain, hold
from messages.registry import BATCH, COMMANDS, EVENTS, INPUTS, QUERIES

_WIDTH = 100

_HEAD = """# Messages

Every message on the wire is one JSON object: a CloudEvents 1.0 envelope with its `data`. This page shows each
command and query with its result, and each event. It was written by `make docs`, which held this conversation
with a real worker; ids and times were then replaced by plain ones. A test checks every message here against the
models and their JSON Schemas. `interlock schema` prints those schemas, with all optional members.

How messages travel:

- A command goes to the list `NAMESPACE:commands`, a query to `NAMESPACE:queries`, each inside a dramatiq message.
  The README has the few lines of Python that put it there with nothing but a Redis client.
- A result comes as field `event` of an entry of the stream `NAMESPACE:replies:NAME`, where NAME is the command's
  `replyto`. With `replyto` `actor:QUEUE/ACTOR` it comes as a dramatiq message to that actor.
- An event comes as field `event` of an entry of the stream `NAMESPACE:events`; notifications also of
  `NAMESPACE:notifications:NAME`.

Results and events may come more than once. Their `id` stays the same, so that a consumer can drop repeats.

`set_state` commands with `on_wait: "defer"` are not answered while the rules say WAIT: they are tried again when the
delay is over, until they end otherwise, or end as ERROR `expired` when their `expirytime` has come. Without one they
wait for as long as it takes. Meanwhile `command.read` says `found` without a result, and a copy gets no answer.
With `partitionkey` and `sequence` a command keeps its turn while it is deferred or tried again: the commands after it
wait until it has ended, however long that takes; `SEQUENCE_GAP_TIMEOUT` counts from the moment in which a number is
really missing, which is when the one before it has ended.
"""
_TEXT = {
    BATCH: (
        "Up to 1,000 envelopes in one message. Each has its own id and its own result; "
        "this is the result of the last one."
    ),
}
_EVENT_TEXT = {
    "flow_run.created": "A create command made a new run.",
    "flow_run.updated": "Fields or labels of a run changed.",
    "flow_run.state_changed": "A state was written: the proposed one, or another that the rules chose.",
    "flow_run.deleted": "A run was deleted.",
    "task_run.created": "A create command made a new task run.",
    "task_run.updated": "A task run was renamed.",
    "task_run.state_changed": "A state was written: the proposed one, or another that the rules chose.",
    "task_run.deleted": "A task run was deleted, by itself or with its flow run.",
    "task_run.scheduled": "A background task run waits to be picked up.",
    "command.dead_lettered": "A command was given up after `MAX_ATTEMPTS` attempts.",
    "notification": "A state was written that an active policy watches.",
}


def write_wire(path: Path) -> None:
    """Holds the conversation and writes the page."""
    path.write_text("\n".join(_page(hold())))


def _page(held: Held) -> Iterator[str]:
    plain = Plain([[list(pair) for pair in held.exchanges], held.events])
    by_type: dict[str, tuple[Envelope, Envelope]] = {}
    for sent, result in held.exchanges:
        by_type.setdefault(sent["type"], (plain(sent), plain(result)))
    yield _HEAD
    yield "## Commands\n"
    yield from _exchanges([*COMMANDS, BATCH], by_type)
    yield "## Queries\n"
    yield from _exchanges(QUERIES, by_type)
    yield "## Events\n"
    events = {name: plain(event) for name, event in held.events.items()}
    events["command.dead_lettered"] = story.DEAD_LETTERED
    for name in EVENTS:
        yield f"### {name}\n\n{_EVENT_TEXT[name]}\n"
        yield _block(events[name])


def _exchanges(names: Iterable[str], by_type: dict[str, tuple[Envelope, Envelope]]) -> Iterator[str]:
    for name in names:
        sent, result = by_type[name]
        text = _TEXT.get(name) or " ".join((INPUTS[name].__doc__ or "").split())
        yield f"### {name}\n\n{text}\n"
        yield _block(sent)
        yield _block(result)


def _block(message: Any) -> str:
    return f"```json\n{_json(message)}\n```\n"


def _json(value: Any, indent: int = 0, before: int = 0) -> str:
    """JSON that stays on one line where it fits."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value:
        return flat
    whole_message = isinstance(value, dict) and "specversion" in value
    if not whole_message and indent + before + len(flat) <= _WIDTH:
        return flat
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [
            f"{inner}{json.dumps(key)}: {_json(item, indent + 2, len(key) + 4)}"
            for key, item in value.items()
        ]
    else:
        parts = [inner + _json(item, indent + 2) for item in value]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return f"{opening}\n" + ",\n".join(parts) + f"\n{' ' * indent}{closing}"
