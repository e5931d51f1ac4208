"""`python -m docs.generate [--check]`: writes the generated parts; or says which of them are out of date."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from docs.generate.readme import readme
from workers.states_doc.page import page

PROJECT = Path(__file__).parents[2]
# What needs no servers, and so can be checked at every change.
FROM_CODE: dict[str, Callable[[str], str]] = {"README.md": readme, "docs/states.md": lambda _: page()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if something is out of date")
    check = parser.parse_args().check
    stale = [name for name, make in FROM_CODE.items() if _differs(name, make, write=not check)]
    if check:
        for name in stale:
            sys.stderr.write(f"{name} is out of date: run `make docs`\n")
        return 1 if stale else 0
    from docs.generate.wire import write_wire

    write_wire(PROJECT / "docs" / "wire.md")
    return 0


def _differs(name: str, make: Callable[[str], str], *, write: bool) -> bool:
    path = PROJECT / name
    before = path.read_text()
    after = make(before)
    if write and after != before:
        path.write_text(after)
    return after != before


if __name__ == "__main__":
    raise SystemExit(main())
