"""The measures of a picture in pixels: how high its rows are, and where its parts stand."""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from messages.fields import Id
from workers.drawing import text
from workers.drawing.described import caption
from workers.drawing.layout import BAR_WIDTH, MARGIN, Bar, Layout

#: From above: the title, the time axis with the run's own states, then the rows, and the legend.
HEAD = 72
AXIS = 48
FOOT = 42
_ROW = 26.0
# A picture is taller than this only if its rows are as thin as they may be.
_TALLEST = 4000
_THINNEST_ROW = 3.0
_LABELLED_ROW = 14.0
#: So much a bar stands within what is drawn around it.
INSET = 3.0


@dataclass(frozen=True)
class Frame:
    """A layout as it is drawn, in pixels."""

    drawn: Layout
    _labels: dict[Id, str] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def row_height(self) -> float:
        """From one row to the next."""
        return min(_ROW, max(_THINNEST_ROW, _TALLEST / max(self.drawn.rows, 1)))

    @cached_property
    def bar_height(self) -> float:
        """Thinner than a row, so that edges can be seen between."""
        return self.row_height * 0.72

    @property
    def has_labels(self) -> bool:
        """Whether rows are high enough for text."""
        return self.row_height >= _LABELLED_ROW

    @cached_property
    def beyond(self) -> float:
        """How far labels go beyond the end of the axis."""
        ends = [self.label_end(bar) for bar in self.drawn.bars]
        return max(0.0, max(ends, default=0.0) - self.x(self.drawn.span.seconds))

    @cached_property
    def width(self) -> float:
        """The whole picture, with what labels need at its right."""
        return self.x(self.drawn.span.seconds) + self.beyond + MARGIN

    @cached_property
    def following(self) -> dict[int, int]:
        """Which bar stands next in the same row, for each that is not the last there. Places in `drawn.bars`."""
        bars = self.drawn.bars
        order = sorted(range(len(bars)), key=lambda each: (bars[each].row, bars[each].begin))
        return {one: other for one, other in pairwise(order) if bars[one].row == bars[other].row}

    @property
    def rows_top(self) -> float:
        """Where the first row begins."""
        return HEAD + AXIS

    @property
    def rows_end(self) -> float:
        """Where the last row ends."""
        return self.rows_top + max(self.drawn.rows, 1) * self.row_height + 8

    @property
    def height(self) -> float:
        """The whole picture."""
        return self.rows_end + FOOT

    def x(self, seconds: float) -> float:
        """Where a moment is."""
        return MARGIN + self.drawn.x(seconds)

    def top(self, bar: Bar) -> float:
        """Where a bar begins, from above."""
        return self.rows_top + bar.row * self.row_height + (self.row_height - self.bar_height) / 2

    def middle(self, bar: Bar) -> float:
        """Where its edges begin and end, from above."""
        return self.top(bar) + self.bar_height / 2

    def right(self, bar: Bar) -> float:
        """Where it ends. What took no time can be seen all the same."""
        return max(self.x(bar.end), self.x(bar.begin) + BAR_WIDTH)

    def label(self, bar: Bar) -> str:
        """As much of the label as has room."""
        if not self.has_labels:
            return ""
        if (known := self._labels.get(bar.node.id)) is None:
            room = bar.room - text.PADDING * (2 if bar.is_label_inside else 1)
            known = self._labels[bar.node.id] = text.fitted(caption(bar.node), room)
        return known

    def label_end(self, bar: Bar) -> float:
        """Where its label ends, if that is not within the bar; else where the bar ends."""
        beside = 0.0 if bar.is_label_inside else text.PADDING + text.width(self.label(bar))
        return self.right(bar) + beside
