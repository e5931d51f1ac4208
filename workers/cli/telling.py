"""An envelope from a stream in one line, for people."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import from_json
from rich.text import Text

from workers.cli.answers import headline
from workers.cli.screen import coloured, printable

Envelope = Mapping[str, Any]


def told(text: bytes) -> Text:
    """Time, type and the gist. What cannot be read is shown as it is."""
    try:
        envelope = from_json(text)
        kind, data = str(envelope["type"]), envelope["data"]
    except (ValueError, KeyError, TypeError):
        return Text(printable(text.decode(errors="replace")), style="dim")
    time = printable(str(envelope.get("time", ""))[11:23]).ljust(12)
    line = Text.assemble((time, "dim"), "  ")
    if kind.endswith(".result"):
        return line.append_text(headline(data, kind)).append(f"  {_subject(envelope)}", style="dim")
    line.append(printable(kind).ljust(24) + "  ")
    return line.append_text(_gist(kind, envelope, data))


def _gist(kind: str, envelope: Envelope, data: Mapping[str, Any]) -> Text:
    try:
        return _GISTS.get(kind.partition(".")[2] or kind, _other)(envelope, data)
    except (KeyError, TypeError, AttributeError):
        # Of another version, or nobody's: its place in the stream is shown all the same.
        return _other(envelope, data)


def _subject(envelope: Envelope) -> str:
    return printable(str(envelope.get("subject") or envelope.get("causationid") or ""))


def _state_changed(envelope: Envelope, data: Mapping[str, Any]) -> Text:
    run, after = data["run"], data["validated_state"]
    before = data.get("initial_state") or {}
    line = Text.assemble(_state(before), " → ", _state(after), "  ", _name(run))
    if data.get("status") != "ACCEPT":
        line.append(f"  instead of {printable(str(data['intended']['to']))}", style="yellow")
    if after.get("message"):
        line.append(f"  {printable(str(after['message']))}")
    return line.append(f"  {_subject(envelope)}", style="dim")


def _run(envelope: Envelope, data: Mapping[str, Any]) -> Text:
    return Text.assemble(_state(data), "  ", _name(data), (f"  {_subject(envelope)}", "dim"))


def _notification(_envelope: Envelope, data: Mapping[str, Any]) -> Text:
    return Text(printable(str(data.get("message", ""))))


def _dead_lettered(envelope: Envelope, data: Mapping[str, Any]) -> Text:
    error = data.get("error") or {}
    command = data.get("command") or {}
    why = f"{command.get('type')}: {error.get('message')} ({data.get('attempts')} attempts)"
    return Text.assemble((printable(why), "red"), (f"  {_subject(envelope)}", "dim"))


def _other(envelope: Envelope, _data: Mapping[str, Any]) -> Text:
    return Text(_subject(envelope), style="dim")


def _state(state: Mapping[str, Any]) -> Text:
    kind = state.get("type") or state.get("state_type")
    name = state.get("name") if "type" in state else state.get("state_name")
    return coloured(str(kind), printable(str(name))) if kind else Text("no state", style="dim")


def _name(run: Mapping[str, Any]) -> Text:
    flow = run.get("flow_name")
    name = printable(str(run.get("name")))
    return Text(f"{printable(str(flow))}/{name}" if flow and "task_key" not in run else name, style="bold")


_GISTS: dict[str, Callable[[Envelope, Mapping[str, Any]], Text]] = {
    "state_changed": _state_changed,
    "created": _run,
    "updated": _run,
    "notification": _notification,
    "dead_lettered": _dead_lettered,
}
