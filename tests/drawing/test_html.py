"""The page: whole in one file, and no name becomes markup."""

import json
import re
from html.parser import HTMLParser

from hypothesis import given

from messages.answers import Graph
from tests.drawing.builders import GRAPHS, HOSTILE, TITLE, at, graph, large, node
from workers.drawing.html import as_fragment, as_html, script, style
from workers.drawing.title import Title

NOW = at(150)


class Read(HTMLParser):
    """The elements of a page, and what is in its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script" and self.cdata_elem == "script":
            self.scripts[-1] += data


@given(GRAPHS)
def test_a_fragment_is_one_element_with_its_data_whatever_the_names(any_graph: Graph) -> None:
    hostile = Title(run_id=HOSTILE, run_name=HOSTILE, flow_name=HOSTILE)
    read = Read(as_fragment(any_graph, now=NOW, title=hostile))
    assert read.tags == ["div", "script"]
    data = json.loads(read.scripts[0])
    assert [each[0] for each in data["nodes"]] == [str(each.id) for each in any_graph.nodes]


def test_hostile_names_are_text_in_a_page() -> None:
    hostile = Title(run_name=HOSTILE, flow_name=HOSTILE)
    page = as_html(graph(node(1, 1, 2, label=HOSTILE), end=3), now=NOW, title=hostile)
    assert "<img" not in page
    assert Read(page).tags.count("script") == 2
    assert "alert(1)" in json.loads(Read(page).scripts[0])["nodes"][0][1]


def test_a_page_loads_nothing_and_forbids_it() -> None:
    page = as_html(large(20), now=NOW, title=TITLE)
    read = Read(page)
    assert {name for name, _ in read.attributes} & {"src", "href", "action", "srcset"} == set()
    assert not {"link", "iframe", "img", "object", "embed", "base", "form"} & set(read.tags)
    [policy] = [value or "" for _, value in read.attributes if "default-src" in (value or "")]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[\w+/=]+'", policy
    )
    assert "url(" not in style()


def test_the_scripts_of_a_page_cannot_end_it_early() -> None:
    assert "</script" not in script().lower()
    assert "<!--" not in script()


def test_the_library_in_the_page_comes_with_its_licence() -> None:
    assert "Mike Bostock" in script()[:200]
