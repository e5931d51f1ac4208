"""docs/faults.md, written from the results of the rows."""

import json
from pathlib import Path
from typing import Any

from tests.faults.matrix import ROWS, number_of

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
INTRODUCTION = """# Faults

What was done to Interlock, and what came of it. Each row is a kind of fault, put again and again into a whole system of
real processes on PostgreSQL and Valkey of their own, while producers go on sending: in no order, a fifth of all commands
more than once. After each row everything that was sent, answered, announced and stored is compared
(`tests/crashes/history.py`, `tests/crashes/legality.py`):

- every command ends, and is answered: nothing is **lost**;
- its effect is there once: nothing is **applied twice**, and a repeat gets the first result;
- what was committed is announced, and nothing else is; versions of a run have no gap, each state follows the last;
- the rules alone, with nothing but memory, give the same verdicts for the same commands;
- no deployment ever had more runs under way than slots; no slot is left with a run that has ended;
- trouble of a server is no verdict; what cannot be read is in the dead letters, and nothing else is;
- connections, transactions and memory stay within bounds; afterwards nothing is left over.

**Recovery** is the time from the end of a fault until all that was sent before is answered, in seconds. Except where it says
"default settings", a worker is taken for dead after 2 s of silence (default: 15 s), so that many faults fit into an hour; a
statement may take 5 s, a lock 2 s. *Repeats* are results that came again, because their command did. *Sent again* are
commands that producers repeated because no answer came: only in rows where Redis forgets; elsewhere producers never do.

`make faults` does all of it again; `make faults ROWS=5,6` those rows; `python -m tests.faults --one 5 --seed SEED` one
with its seed. The results stand in [faults/](faults/), a file each. A few injections of each row are part of `make test`.
"""  # noqa: E501 - prose
HEAD = (
    "| row | fault | injections | commands | lost | applied twice | repeats | recovery p50 | p99 | max | seed |\n"
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)
NOT_TRIED = """## What was not tried

- **Two versions side by side** (27): there is one version so far. What holds when a migration is killed half way, or several
  run at once, is in `tests/faults/test_migration.py`.
- **A machine that loses its power**: here processes die, not disks. PostgreSQL and Redis wait for the log before they
  confirm, as in production; whether the disk keeps what it has confirmed is not asked.
- **PgBouncer, Sentinel, Redis Cluster**: a failover is made by hand, with the same effects on clients.
- **Sabotage of rows by hand** (30) is no fault that could be survived, but one that must be found:
  `tests/faults/test_sabotage.py`.
- **Messages of more than 512 MiB**: Redis takes no larger string. Row 20 goes up to 500 MiB.
- **Not in the matrix, but tried**: FLUSHALL under the clients of this project, whose calls all end
  (`tests/crashes/test_flushall.py`); SIGTERM while PostgreSQL or Redis accepts connections and never answers
  (`tests/crashes/test_black_holes.py`); producers that die between the body of a message and its entry in the queue
  (`tests/broker/test_strays.py`); a flow run with 100,000 task runs that is deleted (`tests/pipeline/test_deleted_runs.py`).
"""  # noqa: E501 - prose


NOTHING_YET = """\
No row has been run at full length on this version yet: `make faults` does it, in an hour or more on two cores.
Until then `make test` puts a few faults of each kind into the system."""


def load(results: Path) -> dict[str, dict[str, Any]]:
    """The results there are, by row."""
    found = (json.loads(file.read_text()) for file in sorted(results.glob("*.json")))
    return {each["row"]: each for each in found if "row" in each}


def write(results: Path) -> int:
    """Writes the page; 1 if a promise was broken in any row."""
    found = load(results)
    tried = {name: each for name, each in found.items() if "injections" in each}
    rows = sorted(ROWS, key=number_of)
    lines = [INTRODUCTION, "## The matrix", ""]
    if tried:
        lines += [HEAD, *(_line(tried[row.name]) for row in rows if row.name in tried), "", _sum(tried), ""]
        lines += _kinds(tried[row.name] for row in rows if row.name in tried)
    else:
        lines += [NOTHING_YET, ""]
    lines += _comparison(results)
    lines += [NOT_TRIED + _missing([row.name for row in rows if row.name not in tried], found)]
    PAGE.write_text("\n".join(lines).rstrip() + "\n")
    broken = [name for name, each in tried.items() if each["violations"]]
    print(f"docs/faults.md: {len(tried)} rows; promises broken in {', '.join(broken) or 'none'}")
    return 1 if broken else 0


def _line(found: dict[str, Any]) -> str:
    recovery = found["recovery_s"]
    cells = [
        *(found["row"], found["fault"], sum(found["injections"].values()), found["commands"], found["lost"]),
        *(found["applied_twice"], found["repeats"], recovery["p50"], recovery["p99"], recovery["max"]),
        found["seed"],
    ]
    shown = (f"{each:,}" if isinstance(each, int) and each is not cells[-1] else str(each) for each in cells)
    return f"| {' | '.join(shown)} |"


def _sum(tried: dict[str, dict[str, Any]]) -> str:
    injections = sum(sum(each["injections"].values()) for each in tried.values())
    commands = sum(each["commands"] for each in tried.values())
    lost = sum(each["lost"] for each in tried.values())
    twice = sum(each["applied_twice"] for each in tried.values())
    return (
        f"In all {injections:,} injections under {commands:,} commands: {lost:,} lost, {twice:,} applied twice, "
        f"{sum(len(each['violations']) for each in tried.values()):,} broken promises of any kind."
    )


def _kinds(tried: Any) -> list[str]:
    """What a row was made of, and what is worth knowing beside."""
    lines = ["## Row by row", ""]
    for each in tried:
        kinds = ", ".join(f"{kind} {number} times" for kind, number in each["injections"].items())
        bounds = each["bounds"]
        lines.append(f"- **{each['row']}**: {kinds}.")
        lines.append(
            f"  {each['deaths']} processes died, {each['resent']:,} commands sent again; at most "
            f"{bounds['connections']:g} connections, {bounds['transaction_s']:g} s in a transaction, "
            f"{bounds['memory_mib']:g} MiB in a process; {each['seconds']:g} s."
        )
        notes = list(dict.fromkeys([each["remark"], *each["notes"]]))
        lines += [f"  {note.rstrip('.')}." for note in notes if note]
        lines += [f"  **Broken**: {violation[:300]}" for violation in each["violations"]]
    return [*lines, ""]


def _comparison(results: Path) -> list[str]:
    file = results / "stock.json"
    if not file.exists():
        return []
    from tests.faults.stock.page import section

    return section(json.loads(file.read_text()))


def _missing(names: list[str], found: dict[str, dict[str, Any]]) -> str:
    known = {name: found[name]["not_tried"] for name in names if "not_tried" in found.get(name, {})}
    lines = [f"- **Row {name}**: {why}.\n" for name, why in known.items()]
    later = [name for name in names if name not in known]
    if later:
        lines.append(f"- **Not run at full length yet**: rows {'; '.join(later)}.\n")
    return "".join(lines)
