"""Puts bars into rows, so that none overlap and neighbours in the graph are near each other.

Bars come in the order of their beginning, and each takes the free row that is nearest to its neighbours. That is done
a few times, each time with the rows of the time before as a guess where later neighbours will be; the best is kept.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

# More rounds make no visible difference.
_ROUNDS = 6
_FEW = 2_000


@dataclass(frozen=True, slots=True)
class Block:
    """What takes up whole rows for a while: a bar, or a bar with all that is drawn in it."""

    begin: float
    end: float
    height: int


def place(blocks: Sequence[Block], ties: Mapping[int, Sequence[int]]) -> list[int]:
    """The first row of each block. `ties` are places of blocks that should be near, known from both sides.

    Blocks that follow each other in a row may touch: keep distances in `begin` and `end`.
    """
    order = sorted(range(len(blocks)), key=lambda each: blocks[each].begin)
    best = _round(blocks, order, ties, None)
    shortest = _length(best, blocks, ties)
    rows = best
    for _ in range(_ROUNDS if len(blocks) <= _FEW else 2):
        guess = {each: _wish(each, rows, ties, blocks) for each in order}
        order.sort(key=lambda each: (blocks[each].begin, guess[each]))
        rows = _round(blocks, order, ties, rows)
        length = _length(rows, blocks, ties)
        if length < shortest:
            best, shortest = rows, length
    return best


def _round(
    blocks: Sequence[Block], order: Sequence[int], ties: Mapping[int, Sequence[int]], before: list[int] | None
) -> list[int]:
    rows = [-1] * len(blocks) if before is None else list(before)
    height = max((row + blocks[each].height for each, row in enumerate(before or ())), default=0)
    free = _Rows(height)
    for each in order:
        wish = _wish(each, rows, ties, blocks)
        rows[each] = free.take(blocks[each], wish)
    return _without_gaps(rows, blocks)


def _wish(
    each: int, rows: Sequence[int], ties: Mapping[int, Sequence[int]], blocks: Sequence[Block]
) -> float:
    """Where a block would like to be: amid its neighbours, as far as these have a row; else where it was."""
    known = [rows[other] + blocks[other].height / 2 for other in ties.get(each, ()) if rows[other] >= 0]
    if known:
        return sum(known) / len(known) - blocks[each].height / 2
    return max(rows[each], 0)


def _length(rows: Sequence[int], blocks: Sequence[Block], ties: Mapping[int, Sequence[int]]) -> float:
    """How long all edges are, in rows. A row of its own costs something too."""
    height = max((row + block.height for row, block in zip(rows, blocks, strict=True)), default=0)
    return height + sum(abs(rows[each] - rows[other]) for each, others in ties.items() for other in others)


def _without_gaps(rows: list[int], blocks: Sequence[Block]) -> list[int]:
    used = {row + more for row, block in zip(rows, blocks, strict=True) for more in range(block.height)}
    number = {row: new for new, row in enumerate(sorted(used))}
    return [number[row] for row in rows]


class _Rows:
    """Which rows are free at a moment that only moves on."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._free = list(range(number))
        self._busy: list[tuple[float, int]] = []

    def take(self, block: Block, wish: float) -> int:
        """The free rows nearest to the wish, or new ones at the end."""
        while self._busy and self._busy[0][0] <= block.begin:
            insort(self._free, heappop(self._busy)[1])
        at = self._nearest(wish) if block.height == 1 else self._nearest_of(block.height, wish)
        if at is None:
            at = self._grow(block.height)
        row = self._free[at]
        del self._free[at : at + block.height]
        for more in range(block.height):
            heappush(self._busy, (block.end, row + more))
        return row

    def _nearest(self, wish: float) -> int | None:
        if not self._free:
            return None
        at = bisect_left(self._free, wish)
        near = [each for each in (at - 1, at) if 0 <= each < len(self._free)]
        return min(near, key=lambda each: abs(self._free[each] - wish))

    def _nearest_of(self, height: int, wish: float) -> int | None:
        """The same for rows below each other."""
        free, last = self._free, len(self._free) - height
        fits = [at for at in range(last + 1) if free[at + height - 1] == free[at] + height - 1]
        return min(fits, key=lambda at: abs(free[at] - wish), default=None)

    def _grow(self, height: int) -> int:
        """Adds rows until so many at the end are free; answers where they stand among the free ones."""
        have = 0
        while have < min(height, len(self._free)) and self._free[-1 - have] == self._number - 1 - have:
            have += 1
        self._free.extend(range(self._number, self._number + height - have))
        self._number += height - have
        return len(self._free) - height
