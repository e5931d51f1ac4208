"""A run's graph as a page that one can zoom, pan, search and point at; and as a part of somebody else's page.

All text reaches the page as JSON in a data block, and the script puts it there as text: no name can become markup.
"""

import base64
import hashlib
import json
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files

from messages.answers import Graph
from workers.cli.screen import printable
from workers.drawing import described
from workers.drawing.data import as_data
from workers.drawing.layout import Layout, layout
from workers.drawing.palette import LOOKS
from workers.drawing.title import Title

# In pixels. What is larger is zoomed into.
_LEAST_HEIGHT, _MOST_HEIGHT, _OTHERWISE, _ROW = 220, 640, 120, 26


def as_html(graph: Graph, *, now: datetime, title: Title | None = None) -> str:
    """A whole page in one text. It loads nothing, and forbids the browser to load anything for it."""
    return html_of(layout(graph, now=now), title or Title())


def html_of(drawn: Layout, title: Title) -> str:
    """The page of a layout."""
    code = script()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src '{_hash(code)}'"
    name = escape(printable(title.name))
    sign = ""
    if title.state_type is not None:
        look = LOOKS[title.state_type]
        sign = f'<span class="ig-sign" style="background:{look.colour}" aria-hidden="true">{look.sign}</span>'
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title><style>{_file('page.css')}{style()}</style></head>\n"
        f"<body><header><h1>{sign}{name}</h1><p>{escape(described.of_run(title, drawn.span))}</p></header>\n"
        f"<main>{fragment_of(drawn, title, height='100%')}</main>\n<script>{code}</script></body></html>\n"
    )


def as_fragment(graph: Graph, *, now: datetime, title: Title | None = None) -> str:
    """An element for a page that has `style()` and, after its elements, `script()`: once, however many pictures.

    The script draws all such elements that it finds. For those that come later: `interlockGraph.mount(element)`.
    """
    drawn = layout(graph, now=now)
    height = min(max(drawn.rows * _ROW + _OTHERWISE, _LEAST_HEIGHT), _MOST_HEIGHT)
    return fragment_of(drawn, title or Title(), height=f"{height}px")


def fragment_of(drawn: Layout, title: Title, *, height: str) -> str:
    """The element of a layout. `height` is a length of CSS."""
    block = embedded_json(as_data(drawn, title))
    return (
        f'<div class="ig-view" style="height:{escape(height)}" role="group" '
        f'aria-label="{escape(printable(title.name))}"><script type="application/json">{block}</script></div>'
    )


def embedded_json(value: object) -> str:
    """JSON that can stand in an element of HTML: it ends none and begins none."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def script() -> str:
    """The code that draws, with the library that it needs, for one element `script`."""
    return f"{_file('d3.min.js')}\n{_file('view.js')}\n{_file('ink.js')}\n{_file('graph.js')}"


@cache
def style() -> str:
    """How it looks, for one element `style`."""
    return _file("graph.css")


def _file(name: str) -> str:
    return files("workers.drawing").joinpath("data", name).read_text()


def _hash(code: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}"
