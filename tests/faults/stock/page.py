"""The part of docs/faults.md that compares."""

from typing import Any

TITLES = {
    "G1 8 s": "a command fails once while Redis is away for 8 s (stock: client retries off)",
    "G1 25 s": "the same, 25 s",
    "G1 120 s": "the same, 120 s",
    "G2": "the answer to one fetch is lost, 8 messages, 60 s later",
    "G3": "the answer to one enqueue is lost, and it is sent again",
    "G4": "one message of 17 cannot be read, 20 s later",
    "G5": "25 messages, 2 s apart, on an idle system",
    "G6": "a second process has a clock 62 s ahead",
    "G7": "5 delayed messages, Redis away for 2 s (stock: client retries off)",
    "G7 retries": "the same, the client's own retries on",
}
Found = dict[str, dict[str, dict[str, Any]]]


def section(found: Found) -> list[str]:
    """Lines of Markdown."""
    lines = [
        "## Beside stock dramatiq",
        "",
        "The same faults, put into dramatiq's own Redis broker, as it comes, and into Interlock with its default "
        "settings (`tests/faults/stock/`). *Stranded*: in nobody's hands, to be found by nobody soon.",
        "",
        "| fault | stock dramatiq | Interlock |",
        "| --- | --- | --- |",
    ]
    for name, title in TITLES.items():
        cells = [_cell(found[system].get(name)) for system in ("stock", "interlock")]
        lines.append(f"| {title} | {cells[0]} | {cells[1]} |")
    return [*lines, ""]


def _cell(outcome: dict[str, Any] | None) -> str:
    if outcome is None:
        return "-"
    if "fault" in outcome:
        return str(outcome["fault"])
    words = [f"{outcome['ran']} of {outcome['sent']} ran"]
    words += [f"{outcome[name]} {name}" for name in ("lost", "stranded") if outcome[name]]
    if outcome["twice"]:
        words.append(f"{outcome['twice']} ran twice")
    if outcome["wait_p50_ms"] is not None:
        words.append(f"answered after p50 {outcome['wait_p50_ms']:g} ms, p99 {outcome['wait_p99_ms']:g} ms")
        words.append(f"{outcome['scripts_a_second']:g} scripts/s when idle")
    return ", ".join(words)
