"""The contract as documents: AsyncAPI 3 and JSON Schemas (2020-12), made from the models. Nothing is written twice."""

from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import DEFAULT_REF_TEMPLATE

from messages.envelope import Envelope
from messages.registry import BATCH, COMMANDS, EVENTS, INPUTS, QUERIES, RESULTS
from messages.results import CommandRef, ErrorBody, Status

Schema = dict[str, Any]

VERSION = "1.0.0"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LOCAL = DEFAULT_REF_TEMPLATE.removesuffix("{model}")
_SHARED = "#/components/schemas/"
_ENVELOPE = "Envelope"
_PUBLISHED = "PublishedEnvelope"
_NOTIFICATION = "notification"
_SET_STATE = [Status.ACCEPT, Status.REJECT, Status.WAIT, Status.ABORT, Status.ERROR]
_STATUSES = {
    "flow_run.set_state": _SET_STATE,
    "task_run.set_state": _SET_STATE,
    "concurrency_limit.acquire": [Status.OK, Status.WAIT, Status.ERROR],
}
_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_PUBLISHED_SCHEMA: Schema = {
    "title": _PUBLISHED,
    "description": "A result or event: CloudEvents 1.0 in its JSON format. Its id is the same at each delivery.",
    "type": "object",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _TEXT,
        "source": {"const": "interlock"},
        "type": _TEXT,
        "time": _TIME,
        "subject": {"description": "The id of the run or other object that it is about.", "type": "string"},
        "datacontenttype": {"const": "application/json"},
        "data": {"type": "object"},
        "correlationid": {"description": "That of the command.", "type": "string"},
        "causationid": {"description": "The id of the command.", "type": "string"},
        "partitionkey": {"description": "Of a run's event: the id of the run.", "type": "string"},
        "sequence": {
            "description": "Of a run's event: the version of the run after the change.",
            "type": "string",
            "pattern": "^[0-9]+$",
        },
        "traceparent": _TEXT,
        "tracestate": _TEXT,
    },
    "required": ["specversion", "id", "source", "type", "data"],
}


def document() -> Schema:
    """The AsyncAPI 3.0 document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Interlock",
            "version": VERSION,
            "description": "Commands change runs and what surrounds them; queries ask; events tell everybody.",
        },
        "defaultContentType": "application/json",
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _rewritten(_schemas(), _LOCAL, _SHARED)},
    }


def json_schemas() -> dict[str, Schema]:
    """A schema that stands alone for each message as a whole, by its type; results by `TYPE.result`."""
    schemas = _schemas()
    documents = {}
    for name in (_ENVELOPE, _PUBLISHED, *INPUTS, *(f"{name}.result" for name in RESULTS), *EVENTS):
        needed = _reachable(schemas[name], schemas)
        documents[name] = {"$schema": DIALECT, **schemas[name]}
        if needed:
            documents[name]["$defs"] = {key: schemas[key] for key in sorted(needed)}
    return documents


@lru_cache(maxsize=1)
def _schemas() -> dict[str, Schema]:
    """All schemas, of parts by their names and of messages by their types; they refer to `#/$defs/NAME`."""
    adapters: list[tuple[str, Any, TypeAdapter[Any]]] = [
        (_ENVELOPE, "validation", TypeAdapter(Envelope)),
        (CommandRef.__name__, "serialization", TypeAdapter(CommandRef)),
        (ErrorBody.__name__, "serialization", TypeAdapter(ErrorBody)),
        *((name, "validation", TypeAdapter(model)) for name, model in INPUTS.items()),
        *((f"{name}.result", "serialization", TypeAdapter(body)) for name, body in RESULTS.items()),
        *((name, "serialization", TypeAdapter(shape)) for name, shape in EVENTS.items()),
    ]
    made, parts = TypeAdapter.json_schemas(adapters)
    bodies = {name: schema for (name, _), schema in made.items()}
    return {
        **parts["$defs"],
        _PUBLISHED: _PUBLISHED_SCHEMA,
        **{name: _message(_ENVELOPE, name, bodies[name]) for name in INPUTS},
        **{
            f"{name}.result": _message(_PUBLISHED, f"{name}.result", _result(name, bodies))
            for name in RESULTS
        },
        **{name: _message(_PUBLISHED, name, bodies[name]) for name in EVENTS},
    }


def _message(envelope: str, message_type: str, data: Schema) -> Schema:
    return {
        "title": message_type,
        "allOf": [{"$ref": _LOCAL + envelope}],
        "type": "object",
        "properties": {"type": {"const": message_type}, "data": data},
        "required": ["type"] if envelope == _ENVELOPE else ["type", "data"],
    }


def _result(command_type: str, bodies: dict[str, Schema]) -> Schema:
    statuses = _STATUSES.get(command_type, [Status.OK, Status.ERROR])
    return {
        "type": "object",
        "properties": {
            "command": bodies[CommandRef.__name__],
            "status": {"enum": [status.value for status in statuses]},
            "replayed": {"description": "This command had been applied before.", "type": "boolean"},
        },
        "required": ["command", "status", "replayed", "error"],
        "if": {"properties": {"status": {"const": "ERROR"}}},
        "then": {"properties": {"error": bodies[ErrorBody.__name__]}},
        "else": {"properties": {"error": {"type": "null"}}, "allOf": [bodies[f"{command_type}.result"]]},
    }


def _reachable(schema: Schema, schemas: dict[str, Schema]) -> set[str]:
    found: set[str] = set()
    waiting: list[Any] = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
            name = str(item.get("$ref", "")).removeprefix(_LOCAL)
            if name and name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


def _rewritten(value: Any, old: str, new: str) -> Any:
    """The same with every reference pointing elsewhere."""
    if isinstance(value, list):
        return [_rewritten(item, old, new) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item.replace(old, new, 1)
        if key == "$ref" and isinstance(item, str)
        else _rewritten(item, old, new)
        for key, item in value.items()
    }


def _channels() -> Schema:
    results = [f"{name}.result" for name in RESULTS]
    queue = "A dramatiq message on this queue of Redis, whose actor is the type and whose one argument the envelope."
    stream = "A stream of Redis; each entry has one field, `event`, which holds the envelope as JSON text."
    return {
        "commands": _channel("{namespace}:commands", [*COMMANDS, BATCH], queue),
        "queries": _channel("{namespace}:queries", list(QUERIES), queue),
        "replies": _channel("{namespace}:replies:{name}", results, stream),
        "events": _channel("{namespace}:events", list(EVENTS), stream),
        "notifications": _channel("{namespace}:notifications:{name}", [_NOTIFICATION], stream),
    }


def _channel(address: str, messages: list[str], description: str) -> Schema:
    parameters: Schema = {"namespace": {"default": "interlock", "description": "The setting NAMESPACE."}}
    if "{name}" in address:
        parameters["name"] = {"description": "The name in `replyto` or in the policy's `notify`."}
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "parameters": parameters,
    }


def _operations() -> Schema:
    operations: Schema = {
        f"receive.{name}": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{channel}"},
            "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"}],
            "reply": {
                "channel": {"$ref": "#/channels/replies"},
                "address": {"location": "$message.payload#/replyto"},
                "messages": [{"$ref": f"#/channels/replies/messages/{name}.result"}],
            },
        }
        for channel, names in (("commands", [*COMMANDS, BATCH]), ("queries", list(QUERIES)))
        for name in names
    }
    for channel, names in (("events", list(EVENTS)), ("notifications", [_NOTIFICATION])):
        operations[f"send.{channel}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{channel}"},
            "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
        }
    return operations


def _messages() -> Schema:
    published = [*(f"{name}.result" for name in RESULTS), *EVENTS]
    return {
        **{name: _described(name, INPUTS[name].__doc__ or "", "id") for name in INPUTS},
        **{name: _described(name, "", "causationid") for name in published},
    }


def _described(name: str, text: str, correlation: str) -> Schema:
    message: Schema = {
        "name": name,
        "contentType": "application/json",
        "correlationId": {"location": f"$message.payload#/{correlation}"},
        "payload": {"$ref": _SHARED + name},
    }
    summary = text.strip().partition("\n")[0]
    return {**message, "summary": summary} if summary else message
