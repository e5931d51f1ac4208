"""What the documents repeat from the code is as the code has it, and their links lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs.generate.readme import readme
from tests.docs.documents import DOCUMENTS, PROJECT, tokens_of
from workers.settings import Settings


def links_of(document: Path) -> Iterator[str]:
    for token in tokens_of(document):
        for child in token.children or ():
            for name in ("href", "src"):
                if (target := child.attrGet(name)) is not None:
                    yield str(target)


def named(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def test_the_tables_of_the_readme_are_those_of_the_code() -> None:
    text = (PROJECT / "README.md").read_text()

    assert readme(text) == text, "run `make docs`"


def test_the_readme_lists_every_setting() -> None:
    text = (PROJECT / "README.md").read_text()
    part = text.partition("<!-- settings -->")[2].partition("<!-- /settings -->")[0]
    listed = re.findall(r"^\| (INTERLOCK_\w+) \| `?(.*?)`? \| (.+) \|$", part, flags=re.MULTILINE)

    assert [tuple(row) for row in listed] == [tuple(row) for row in Settings.table()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_within_the_project_lead_somewhere(document: Path) -> None:
    inside = [link.partition("#")[0] for link in links_of(document) if "://" not in link]

    assert [link for link in inside if link and not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_files_named_in_the_documents_exist(document: Path) -> None:
    pattern = r"`((?:messages|store|workers|tests|docs|deploy|benchmarks)/[\w./@-]*)`"
    files = re.findall(pattern, document.read_text())

    assert [file for file in files if not (PROJECT / file).exists()] == []


def test_decisions_are_numbered_without_gaps_and_have_their_three_parts() -> None:
    decisions = sorted((PROJECT / "docs" / "decisions").glob("*.md"))

    assert [path.name[:4] for path in decisions] == [f"{n:04d}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text(), flags=re.MULTILINE)
        assert headings[:3] == ["Context", "Decision", "Consequences"], path.name


@pytest.mark.parametrize("picture", sorted(PROJECT.glob("docs/images/*.svg")), ids=named)
def test_pictures_say_what_they_show_and_follow_the_readers_colours(picture: Path) -> None:
    root = ElementTree.parse(picture).getroot()
    text = picture.read_text()

    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert "prefers-color-scheme: dark" in text
