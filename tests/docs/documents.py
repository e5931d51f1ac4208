"""The documents, and the fenced blocks in them."""

from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

PROJECT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        PROJECT / "README.md",
        PROJECT / "CONTRIBUTING.md",
        PROJECT / "CHANGELOG.md",
        *PROJECT.glob("docs/**/*.md"),
    ]
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `heading` is the one above it."""

    document: Path
    line: int
    language: str
    text: str
    heading: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(PROJECT)}:{self.line}"


def blocks(language: str) -> list[Block]:
    """All blocks of a language, in all documents."""
    return [block for document in DOCUMENTS for block in blocks_of(document) if block.language == language]


def blocks_of(document: Path) -> list[Block]:
    """The blocks of one document, in their order."""
    found, heading = [], ""
    tokens = tokens_of(document)
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[number + 1].content
        if token.type == "fence":
            assert token.map is not None
            found.append(Block(document, token.map[0] + 1, token.info.strip(), token.content, heading))
    return found


def tokens_of(document: Path) -> list[Token]:
    """The document, parsed."""
    return MarkdownIt("commonmark").enable("table").parse(document.read_text())
