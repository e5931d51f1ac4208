"""Labels: how wide they are, how they are shortened, and what of them may be shown at all."""

from unicodedata import east_asian_width

#: Left and right of a label, in pixels.
PADDING = 6
SIZE = 12
# Of the widest of the usual fonts, so that nothing overflows in another. In parts of the size of the font.
_NARROW, _USUAL, _CAPITAL, _WIDE = 0.36, 0.62, 0.78, 1.05
_THIN = frozenset("iljtfrI.,:;'|!()[]{}/\\ ")
_BROAD = frozenset("mwMW@%—…")


def width(text: str, size: float = SIZE) -> float:
    """At most how wide it will be, in pixels."""
    return size * sum(map(_share, text))


def fitted(text: str, room: float, size: float = SIZE) -> str:
    """As much of it as has room, with an ellipsis where something is left out; empty if that would say nothing."""
    if width(text, size) <= room:
        return text
    left = room - width("…", size)
    for number, letter in enumerate(text):
        left -= size * _share(letter)
        if left < 0:
            return f"{text[:number].rstrip()}…" if number >= 3 else ""
    return text


def _share(letter: str) -> float:
    if letter in _THIN:
        return _NARROW
    if letter in _BROAD or east_asian_width(letter) in "WF":
        return _WIDE
    return _CAPITAL if letter.isupper() else _USUAL
