"""`interlock up` with stand-ins for its commands: `run_up.py HOME [--servers-only]`."""

import sys
from pathlib import Path

from workers.embedded.up import up
from workers.logs import set_up_logging
from workers.settings import Settings

if __name__ == "__main__":
    set_up_logging("INFO", "text")
    stand_ins = (sys.executable, "-m", "tests.embedded.child")
    sys.exit(up(Settings(), Path(sys.argv[1]), "--servers-only" in sys.argv, stand_ins))
