"""The SVG: everything is in it, nothing else, and no name becomes markup."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given

from messages.answers import Graph, NodeKind
from messages.states import StateType
from tests.drawing.builders import GRAPHS, HOSTILE, TITLE, artifact, at, graph, large, node, state
from workers.drawing import edges
from workers.drawing.layout import layout
from workers.drawing.svg import as_svg
from workers.drawing.title import Title

NOW = at(150)
SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "style", "g", "rect", "path", "circle", "text"}


def drawn(any_graph: Graph, title: Title = TITLE) -> ElementTree.Element:
    return ElementTree.fromstring(as_svg(any_graph, now=NOW, title=title))


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [each for each in root.iter() if name in (each.get("class") or "").split()]


def texts(root: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{SVG}text")]


@given(GRAPHS)
def test_every_node_edge_state_and_artifact_is_drawn(any_graph: Graph) -> None:
    root = drawn(any_graph)
    [lines] = of_class(root, "ig-edges")
    artifacts = len(any_graph.artifacts) + sum(len(each.artifacts) for each in any_graph.nodes)
    told = [each for each in root.iter(f"{SVG}path") if each.find(f"{SVG}title") is not None]
    assert len(of_class(root, "ig-node")) == len(any_graph.nodes)
    assert len(lines) == len(layout(any_graph, now=NOW).edges)
    assert len(of_class(root, "ig-state")) == len(any_graph.states)
    assert len(told) == artifacts


@given(GRAPHS)
def test_nothing_but_plain_shapes_and_text_is_in_it(any_graph: Graph) -> None:
    hostile = Title(run_id=HOSTILE, run_name=HOSTILE, flow_name=HOSTILE, state_name=HOSTILE)
    root = drawn(any_graph, hostile)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= ALLOWED
    for each in root.iter():
        assert not {name for name in each.attrib if name.startswith("on") or "href" in name}


@given(GRAPHS)
def test_nothing_stands_outside_the_picture(any_graph: Graph) -> None:
    root = drawn(any_graph)
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for box in root.iter(f"{SVG}rect"):
        x, y, wide, high = (float(box.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width + 0.2
        assert 0 <= y <= y + high <= height + 0.2


def test_it_needs_nothing_from_elsewhere() -> None:
    svg = as_svg(large(30), now=NOW, title=TITLE)
    assert re.findall(r"[a-z]+://[^\s\"'<]+", svg) == ["http://www.w3.org/2000/svg"]
    assert "@import" not in svg
    assert "url(" not in svg


def test_two_pictures_in_one_page_share_no_ids() -> None:
    assert " id=" not in as_svg(large(30), now=NOW, title=TITLE)


def test_the_title_names_flow_run_state_and_duration() -> None:
    root = drawn(graph(node(1, 1, 2), end=75))
    assert "orders / witty-otter" in texts(root)
    assert "Running · 1 min 15 s · from 2026-05-04 12:00:00.000 UTC" in texts(root)


def test_a_bar_tells_what_it_is_when_one_points_at_it() -> None:
    inner = node(7, 2.5, 4, label="a & b", state=StateType.FAILED, kind=NodeKind.FLOW_RUN)
    [bar] = of_class(drawn(graph(inner, end=9)), "ig-node")
    assert (bar.findtext(f"{SVG}title") or "").splitlines() == [
        "a & b",
        "Failed subflow run, 1.5 s",
        "began 2.5 s after the start, 2026-05-04 12:00:02.500 UTC",
        "00000000-0000-0000-0000-000000000007",
    ]


def test_a_label_is_shortened_where_it_has_no_room() -> None:
    long = (
        "a name that is much longer than its bar and all the room beside it could ever be, whatever the font"
    )
    root = drawn(graph(node(1, 1, 2, label=long), end=9))
    [label] = [each for each in texts(root) if each.startswith("✓ a name")]
    assert label.endswith("…")
    assert len(label) < 60 < len(long)


def test_the_legend_explains_what_is_there_and_nothing_else() -> None:
    held = graph(node(1, 1), node(2, 2, 3, inside=[1]), artifacts=[artifact(5, 2)])
    words = texts(drawn(held))
    assert {"► Running", "✓ Completed", "goes on", "called within", "artifact"} <= set(words)
    assert "subflow run" not in words
    assert "✗ Failed" not in words


def test_a_run_without_task_runs_says_so() -> None:
    assert "No task run has begun." in texts(drawn(graph(states=[state(1, 0, StateType.PENDING)])))


def test_of_too_many_edges_the_longest_are_left_out_and_the_picture_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edges, "MOST", 100)
    picture = large(200)
    number = len(layout(picture, now=NOW).edges)
    root = drawn(picture)
    [lines] = of_class(root, "ig-edges")
    assert len(lines) == 100
    assert f"The longest {number - 100} of {number} edges are left out." in texts(root)


def test_ten_thousand_nodes_are_drawn_without_labels() -> None:
    root = drawn(large(10_000, at_once=600))
    assert len(of_class(root, "ig-node")) == 10_000
    assert "Point at a bar to see what has no room here." in texts(root)
    assert float(root.get("height", 0)) < 5000
