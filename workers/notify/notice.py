"""A notification as people get it: title, text, and how good the news are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from messages.consumer import Event
from messages.states import StateType
from workers.handlers.notifications import fill_in

DEFAULT_TITLE = "Flow run {flow_run_name} is {flow_run_state_name}"

# As Apprise names them; most services show each in a colour of its own.
Kind = Literal["info", "success", "warning", "failure"]
_KINDS: Mapping[str, Kind] = {
    StateType.COMPLETED: "success",
    StateType.PAUSED: "warning",
    StateType.CANCELLING: "warning",
    StateType.CANCELLED: "warning",
    StateType.FAILED: "failure",
    StateType.CRASHED: "failure",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What is delivered."""

    title: str
    text: str
    kind: Kind


def notice_of(event: Event, title: str) -> Notice:
    """A notification with its title filled in. Services refuse what has no text: then the title is the text."""
    values: dict[str, Any] = dict(event.data)
    # Templates have these beside the members of a notification, see `messages.commands.notifications`.
    values["flow_run_notification_policy_id"] = values.get("policy_id", "")
    values["flow_run_url"] = f"interlock:flow-run/{values.get('flow_run_id', '')}"
    filled = fill_in(title, {name: "" if value is None else value for name, value in values.items()})
    text = str(values.get("message") or "").strip()
    return Notice(
        filled, text or filled or event.type, _KINDS.get(values.get("flow_run_state_type", ""), "info")
    )
