"""A result in a line or two, for people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workers.cli.screen import coloured, printable

if TYPE_CHECKING:
    from rich.text import Text


def headline(data: Mapping[str, Any], message_type: str) -> "Text":
    """Status and type; where the answer is no, also why; each fault of an ERROR on a line of its own."""
    from rich.text import Text

    line = Text.assemble(coloured(str(data.get("status"))), " ", printable(message_type))
    if data.get("replayed"):
        line.append("  (applied before; this is its first answer)", style="dim")
    if why := _why(data):
        line.append(f"  {why}")
    for item in (data.get("error") or {}).get("errors") or []:
        place = ".".join(str(part) for part in item.get("loc", ()))
        line.append("\n" + printable(f"  {place}: {item.get('msg')}"))
    return line


def _why(data: Mapping[str, Any]) -> str:
    error, details = data.get("error") or {}, data.get("details") or {}
    parts = []
    if error:
        parts.append(f"{error.get('code')}: {error.get('message')}")
    if details.get("reason"):
        parts.append(str(details["reason"]))
    if details.get("delay_seconds") is not None:
        parts.append(f"ask again in {details['delay_seconds']} s")
    return printable("; ".join(parts))
