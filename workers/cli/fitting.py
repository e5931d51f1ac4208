"""Tables as wide as the screen: what matters least is left out first, then what can be is cut. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Those of the highest `rank` go first where there is no room; of rank 0, never.

    With `least`, its cells may be cut down to so many characters.
    """

    heading: str
    cells: Sequence[Text]
    rank: int = 0
    least: int | None = None
    right: bool = False

    @property
    def widest(self) -> int:
        """Characters that its widest cell takes, the heading among them."""
        return max([len(self.heading), *(cell.cell_len for cell in self.cells)])

    @property
    def narrowest(self) -> int:
        """Characters that it takes at the least."""
        return self.widest if self.least is None else min(self.widest, max(self.least, len(self.heading)))


#: The columns that are shown, by their headings, and how wide each is.
Layout = dict[str, int]


def fit(columns: Sequence[Column], width: int | None) -> Layout:
    """Which columns there is room for, and how much for each. `width` None: for all there is."""
    # What is empty says nothing; where nobody looks, a column that comes and goes would say less.
    kept = [each for each in columns if width is None or each.rank == 0 or any(each.cells)]
    while width is not None and _room(kept, [each.narrowest for each in kept]) > width:
        last = max(kept, key=lambda each: each.rank)
        if last.rank == 0:
            break
        kept.remove(last)
    if width is None:
        return {each.heading: each.widest for each in kept}
    spare = width - _room(kept, [each.narrowest for each in kept])
    layout = {}
    for each in kept:
        more = min(max(0, spare), each.widest - each.narrowest)
        layout[each.heading] = each.narrowest + more
        spare -= more
    return layout


def lines(
    columns: Sequence[Column], layout: Layout, *, cut: bool = True, headed: bool = True
) -> Iterator[Text]:
    """The rows, under a line of headings. What is wider than its place is cut, or moves the rest aside."""
    shown = [each for each in columns if each.heading in layout]
    if headed:
        yield _line([_placed(each, Text(each.heading, "bold"), layout, cut) for each in shown])
    for row in range(len(columns[0].cells) if columns else 0):
        yield _line([_placed(each, each.cells[row], layout, cut) for each in shown])


def _placed(column: Column, cell: Text, layout: Layout, cut: bool) -> Text:
    width, placed = layout[column.heading], cell.copy()
    if cut and placed.cell_len > width:
        placed.truncate(width, overflow="ellipsis")
    missing = max(0, width - placed.cell_len)
    if column.right:
        return Text(" " * missing).append_text(placed)
    return placed.append(" " * missing)


def _line(cells: Sequence[Text]) -> Text:
    line = Text(" " * _GAP).join(cells)
    line.rstrip()
    return line


def _room(columns: Sequence[Column], widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * max(0, len(columns) - 1)
