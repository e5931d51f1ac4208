"""What a terminal shows."""

from io import StringIO

from rich.console import Console

from messages.answers import Graph
from tests.drawing.builders import TITLE, at
from workers.drawing.title import Title
from workers.drawing.tree import MOST, as_tree


def lines(graph: Graph, title: Title = TITLE, most: int = MOST) -> list[str]:
    """The tree as text without colours."""
    written = StringIO()
    console = Console(file=written, width=1000, markup=False, highlight=False)
    console.print(as_tree(graph, now=at(150), title=title, most=most))
    return written.getvalue().rstrip("\n").split("\n")
