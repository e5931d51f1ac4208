"""`python -m workers.states_doc` prints docs/states.md; with --check it says whether the file differs from that."""

import argparse
import difflib
import sys
from pathlib import Path

from workers.states_doc.page import page

FILE = Path(__file__).parents[2] / "docs" / "states.md"


def main(argv: list[str] | None = None) -> int:
    """Answers the exit code: 1 if the file is out of date."""
    parser = argparse.ArgumentParser(prog="python -m workers.states_doc", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="print no page, but how the file differs from it"
    )
    parser.add_argument("file", nargs="?", type=Path, default=FILE, help="the file to look at")
    given = parser.parse_args(argv)
    if not given.check:
        sys.stdout.write(page())
        return 0
    before = given.file.read_text() if given.file.exists() else ""
    difference = list(
        difflib.unified_diff(
            before.splitlines(keepends=True), page().splitlines(keepends=True), str(given.file), "the rules"
        )
    )
    sys.stdout.writelines(difference)
    return 1 if difference else 0


if __name__ == "__main__":
    raise SystemExit(main())
