"""docs/states.md says what the rules say."""

from pathlib import Path

import pytest

from messages.states import StateType
from workers.states_doc.__main__ import FILE, main
from workers.states_doc.page import CHAPTERS, page


def test_the_page_in_the_docs_is_what_the_rules_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, "run `python -m workers.states_doc > docs/states.md`"
    assert capsys.readouterr().out == ""


def test_the_page_is_made_the_same_every_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == page() == FILE.read_text()


def test_a_page_that_is_out_of_date_is_shown_with_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "states.md"
    old.write_text(page().replace("**SCHEDULED** | ✓", "**SCHEDULED** | abort", 1))
    assert main(["--check", str(old)]) == 1
    difference = capsys.readouterr().out
    assert "-| **SCHEDULED** | abort" in difference
    assert "+| **SCHEDULED** | ✓" in difference


def test_a_page_that_is_missing_is_out_of_date(tmp_path: Path) -> None:
    assert main(["--check", str(tmp_path / "none.md")]) == 1


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.title)
def test_every_pair_of_types_has_a_cell(chapter: object) -> None:
    title = chapter.title  # type: ignore[attr-defined]
    section = page().split(f"## {title}\n")[1].split("\n## ")[0]
    for start in ("no state", *StateType):
        (row,) = (line for line in section.splitlines() if line.startswith(f"| **{start}** |"))
        cells = [cell.strip() for cell in row.strip("|").split(" | ")][1:]
        assert len(cells) == len(StateType)
        assert all(cells)
