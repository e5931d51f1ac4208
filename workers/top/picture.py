"""A snapshot drawn for a terminal of a given size. Pure: what it is given is all it knows."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from store.reads.figures import Use
from workers.cli.screen import COLOURS, printable
from workers.figures.queues import QUEUES
from workers.figures.snapshot import DatabaseFigures, Figures, RedisFigures
from workers.figures.words import STATES, WAITING, duration, needing_attention, number, rate, skew, state
from workers.top.sparkline import joined, sparkline, stretched

_QUIET = "bright_black"
_TITLE = "bold cyan"
#: above it, two columns stand side by side
_WIDE = 110


@dataclass(frozen=True, slots=True)
class Size:
    """Columns and lines."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Something to draw, and how many lines it takes."""

    drawn: RenderableType
    lines: int


def picture(figures: Figures, size: Size, place: str, *, hint: str = "") -> RenderableType:
    """Everything, or as much of the limits as there is room for."""
    parts = [_head(figures, size, place)]
    if figures.redis is not None:
        parts.append(_commands(figures.redis, size))
    parts.append(_middle(figures, size))
    if figures.database is not None:
        parts.append(_runs(figures.database, size))
    left = size.height - sum(part.lines for part in parts) - (1 if hint else 0)
    # In a low terminal every line counts.
    gaps = min(len(parts), max(0, left - _LEAST_LIMITS))
    if figures.database is not None:
        parts.append(_limits(figures.database, size, left - gaps))
    drawn: list[RenderableType] = [parts[0].drawn]
    for number_of_part, part in enumerate(parts[1:]):
        drawn += [Text(), part.drawn] if number_of_part < gaps and number_of_part else [part.drawn]
    return Group(*drawn, *([Text(f" {hint}", _QUIET)] if hint else []))


_LEAST_LIMITS = 6


def _head(figures: Figures, size: Size, place: str) -> _Part:
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    name = Text.assemble((" interlock", "bold"), "  ", (printable(place), _QUIET))
    name.truncate(size.width - 20, overflow="ellipsis")
    told = needing_attention(figures)
    mark = Text.assemble((f"{figures.at:%H:%M:%S} UTC  ", _QUIET), ("● ", "bold yellow" if told else "green"))
    line.add_row(name, mark)
    lines = _attention(told, size)
    return _Part(Group(line, Rule(style=_QUIET), *lines), 2 + len(lines))


def _attention(told: Sequence[str], size: Size) -> list[Text]:
    lines = []
    for sentence in told[:3]:
        line = Text.assemble((" ! ", "bold yellow"), (printable(sentence), "yellow"))
        line.truncate(size.width - 1, overflow="ellipsis")
        lines.append(line)
    return lines


def _commands(part: RedisFigures, size: Size) -> _Part:
    recent = part.recent
    head = Text.assemble(
        (" COMMANDS ", _TITLE),
        (f"{rate(recent.rate):>8}", "bold"),
        ("/s  ", ""),
    )
    room = size.width - head.cell_len - 18
    bars = sparkline(stretched(joined(recent.per_second, room), room), room)
    head.append(bars, "cyan").append(f"  peak {max(recent.per_second, default=0):,}/s", _QUIET)
    trips = Text(" round trip  ")
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        trips.append(f"{name} ", _QUIET).append(f"{duration(recent.trips.quantile(share)):<9}", "bold")
    return _Part(Group(head, trips.append_text(_statuses(part, size.width - trips.cell_len - 1))), 2)


def _statuses(part: RedisFigures, room: int) -> Text:
    line = Text()
    for status in ("ACCEPT", "OK", "REJECT", "WAIT", "ABORT", "ERROR", "REPLAYED"):
        count = part.recent.statuses.get(status, 0)
        more = Text.assemble((f"{status.lower()} ", COLOURS.get(status, _QUIET)), (f"{count:,}  ", "bold"))
        if count and line.cell_len + more.cell_len <= room:
            line.append_text(more)
    return line


def _middle(figures: Figures, size: Size) -> _Part:
    grid = Table.grid(expand=True, padding=(0, 2, 0, 0))
    parts = [each for each in (_queues(figures), _waiting(figures)) if each is not None]
    if size.width >= _WIDE:
        parts.append(_processes(figures))
        grid.add_row(*parts)
        return _Part(grid, 1 + len(WAITING))
    grid.add_row(*parts)
    lines = 0 if not parts else 1 + (len(WAITING) if figures.database else len(QUEUES))
    return _Part(Group(grid, _process_line(figures)), lines + 1)


def _queues(figures: Figures) -> RenderableType | None:
    if figures.redis is None:
        return None
    table = _table("QUEUE", "ready", "in hand", "delayed", "oldest")
    for queue in figures.redis.queues:
        table.add_row(
            f" {queue.name}",
            _count(queue.ready),
            _count(queue.in_hand),
            _count(queue.delayed),
            duration(queue.oldest_s),
        )
    return table


def _waiting(figures: Figures) -> RenderableType | None:
    if figures.database is None:
        return None
    table = _table("IN THE DATABASE", "number", "oldest")
    for name, shown in WAITING.items():
        each = figures.database.waiting[name]
        style = "yellow" if name == "dead_letter" and each.number else ""
        table.add_row(Text(f" {shown}", style), _count(each.number), duration(figures.age_of(each.oldest)))
    return table


def _processes(figures: Figures) -> RenderableType:
    table = _table("PROCESSES", "")
    for name, told, style in _of_processes(figures):
        table.add_row(f" {name}", Text(told, style))
    return table


def _process_line(figures: Figures) -> Text:
    line = Text(" ")
    for name, told, style in _of_processes(figures):
        line.append(f"{name} ", _QUIET).append(f"{told}   ", style)
    return line


def _of_processes(figures: Figures) -> list[tuple[str, str, str]]:
    """(name, what is told of it, style)."""
    told: list[tuple[str, str, str]] = []
    if figures.redis is not None:
        alive = figures.redis.consumers.alive["commands"]
        told.append(("workers", str(alive), "bold" if alive else "bold yellow"))
    if figures.database is not None:
        for name, active in (
            ("relay", figures.database.relay_is_active),
            ("clock", figures.database.clock_is_active),
        ):
            if active is not None:
                told.append((name, "active" if active else "none", "green" if active else "bold yellow"))
        told.append(("PostgreSQL", skew(figures.database.skew_s), ""))
    if figures.redis is not None:
        told.append(("Redis", skew(figures.redis.skew_s), ""))
    return told


def _runs(part: DatabaseFigures, size: Size) -> _Part:
    entries = []
    for kind in STATES:
        count = part.runs.by_state[kind]
        told = number(count, is_estimated=part.runs.is_estimated and kind in _ENDED)
        entries.append(
            Text.assemble(
                ("■ ", COLOURS[kind]), f"{state(kind)} ", (f"{told}   ", "bold" if count else _QUIET)
            )
        )
    head = Text.assemble((" FLOW RUNS  ", _TITLE)).append_text(_bar_of_states(part, size.width - 14))
    lines = _lines(entries, size.width)
    return _Part(Group(head, *lines), 1 + len(lines))


def _lines(entries: Sequence[Text], width: int) -> list[Text]:
    """The entries in as many lines as they need, none broken in two."""
    lines = [Text(" ")]
    for entry in entries:
        if lines[-1].cell_len + entry.cell_len > width:
            lines.append(Text(" "))
        lines[-1].append_text(entry)
    return lines


_ENDED = STATES[-4:]


def _bar_of_states(part: DatabaseFigures, width: int) -> Text:
    """A line in proportion; whatever there is has at least one cell."""
    counts = [(kind, part.runs.by_state[kind]) for kind in STATES if part.runs.by_state[kind]]
    total, line = sum(count for _, count in counts), Text()
    for kind, count in counts:
        line.append("█" * max(1, round(count / total * (width - len(counts)))), COLOURS[kind])
    line.truncate(width)
    return line if counts else Text("none yet", _QUIET)


def _limits(part: DatabaseFigures, size: Size, room: int) -> _Part:
    columns = 2 if size.width >= _WIDE else 1
    uses = list(part.limits[: (room - 1) * columns]) if room > 1 else []
    head = Text.assemble(
        (" SLOTS", _TITLE),
        (f"  {part.limits_in_all:,} limit{'s, the fullest first' if part.limits_in_all > 1 else ''}", _QUIET),
    )
    if not part.limits:
        head = Text.assemble((" SLOTS", _TITLE), ("  no limits", _QUIET))
    grid = Table.grid(expand=True, padding=(0, 2, 0, 0))
    width = size.width // columns - 2
    for row in range(0, len(uses), columns):
        cells = [_limit(use, width) for use in uses[row : row + columns]]
        grid.add_row(*cells, *[Text()] * (columns - len(cells)))
    return _Part(Group(head, grid), room)


def _limit(use: Use, width: int) -> Text:
    numbers = f"{use.held:,}/{use.limit:,}"
    name_width = min(36, width // 2)
    name = Text(f" {printable(use.shown_name)}", _QUIET if not use.active else "")
    name.truncate(name_width, overflow="ellipsis", pad=True)
    room = max(4, width - name_width - 12)
    filled = min(room, round(use.held / use.limit * room)) if use.limit else 0
    filled = max(filled, 1) if use.held else filled
    full = use.held >= use.limit and use.held > 0
    bar = Text.assemble(("━" * filled, "yellow" if full else "cyan"), ("╌" * (room - filled), _QUIET))
    return Text.assemble(name, " ", bar, f" {numbers:>9}")


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style=_QUIET)
    table.add_column(Text(f" {headings[0]}", _TITLE), no_wrap=True)
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _count(value: int) -> Text:
    return Text(f"{value:,}", "bold" if value else _QUIET)
