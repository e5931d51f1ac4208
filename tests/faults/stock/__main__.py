"""`python -m tests.faults.stock`: the seven faults, in stock dramatiq and in Interlock; some four minutes.

`busy` and `idle` are the two parts; the second wants a quiet machine. `--one SYSTEM RECIPE` does one of them in this
process, and prints what came of it.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.faults.matrix import run_folder
from tests.faults.servers import Valkey
from tests.faults.stock import interlock, stock
from workers.embedded.home import Home

RESULTS = Path(__file__).parents[3] / "docs" / "faults" / "stock.json"
# Most of them wait: but the idle ones measure time, and are alone.
ALONE = ("G5",)


def one(system: str, recipe: str) -> dict[str, object]:
    """Servers of its own."""
    with run_folder() as folder:
        if system == "interlock":
            with interlock.Bench(folder) as bench:
                return asdict(interlock.RECIPES[recipe](bench))
        server = Valkey(Home.occupy(folder / "home"), {})
        server.start()
        try:
            return asdict(stock.RECIPES[recipe](server.url))
        finally:
            server.kill()


def begin(system: str, recipe: str) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "tests.faults.stock", "--one", system, recipe]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def read(process: "subprocess.Popen[str]") -> dict[str, object]:
    out, _ = process.communicate()
    try:
        found: dict[str, object] = json.loads(out.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {"fault": f"failed with status {process.returncode}"}
    return found


def main() -> int:
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2], sys.argv[3])))
        return 0
    parts = sys.argv[1:] or ["busy", "idle"]
    wanted = [("stock", name) for name in stock.RECIPES] + [("interlock", name) for name in interlock.RECIPES]
    found: dict[str, dict[str, object]] = {"stock": {}, "interlock": {}}
    if RESULTS.exists():
        found = json.loads(RESULTS.read_text())
    for part in parts:
        some = [each for each in wanted if (each[1] in ALONE) == (part == "idle")]
        running = [(each, begin(*each)) for each in some]
        for (system, name), process in running:
            found[system][name] = read(process)
            print(system, name, found[system][name], flush=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
