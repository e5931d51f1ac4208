"""Templates, and what they may call. Everything that is put into them is escaped."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from messages.states import TERMINAL
from workers.dashboard import shapes, words
from workers.dashboard.guard import GRAPH_HEIGHT
from workers.dashboard.reader import Whole
from workers.drawing.html import fragment_of
from workers.drawing.layout import layout
from workers.drawing.palette import LOOKS
from workers.drawing.title import Title
from workers.figures import words as figure_words


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("workers.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "looks": LOOKS,
        "states": figure_words.STATES,
        "terminal": TERMINAL,
        "waiting_names": figure_words.WAITING,
        "attention": figure_words.needing_attention,
        "spark": shapes.spark,
        "pieces": shapes.pieces,
        "share": shapes.share,
        "spark_box": f"0 0 {shapes.WIDTH} {shapes.HEIGHT}",
        "ran_for": words.ran_for,
    }
    made.filters |= {
        "duration": figure_words.duration,
        "rate": figure_words.rate,
        "number": figure_words.number,
        "skew": figure_words.skew,
        "moment": words.moment,
        "clock": words.clock,
        "json": words.json,
    }
    return made


def page(template: str, **values: Any) -> str:
    """A page, or a part of one."""
    return _environment().get_template(template).render(**values)


def state_colours() -> str:
    """A style sheet with the colours of the states, the same as in the graphs."""
    return "".join(f".state-{state.value}{{--state:{look.colour}}}\n" for state, look in LOOKS.items())


def title_of(whole: Whole) -> Title:
    """What a run's picture is called."""
    run = whole.run
    return Title(
        run_id=str(run.id),
        run_name=run.name,
        flow_name=whole.flow,
        state_type=run.state_type,
        state_name=run.state_name or "",
    )


def graph_of(whole: Whole) -> tuple[Markup, str]:
    """The element of a run's graph, and how high it should be: `low`, `middle` or `high`; nothing if there is none."""
    if whole.graph is None:
        return Markup(), ""
    drawn = layout(whole.graph, now=whole.at)
    height = "low" if drawn.rows <= _LOW else "middle" if drawn.rows <= _MIDDLE else "high"
    # Not escaped here: it is markup, made so that no name can become a part of it.
    return Markup(fragment_of(drawn, title_of(whole), height=GRAPH_HEIGHT)), height  # noqa: S704


_LOW, _MIDDLE = 5, 12
