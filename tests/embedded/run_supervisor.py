"""A supervisor over children of tests.embedded.child: `run_supervisor.py NAME=BEHAVIOUR...`."""

import sys

from workers.logs import set_up_logging
from workers.supervisor import Child, Limits, Supervisor

if __name__ == "__main__":
    set_up_logging("INFO", "text")
    children = [
        Child(name, (sys.executable, "-m", "tests.embedded.child", name, behaviour))
        for name, behaviour in (word.split("=") for word in sys.argv[1:])
    ]
    # One that is never ready is given up soon; the others have the time that a busy machine takes.
    ready_within_s = 2 if any("silent" in word for word in sys.argv[1:]) else 60
    supervisor = Supervisor(children, Limits(ready=ready_within_s, shutdown=1))
    sys.exit(supervisor.run(lambda: print("all are ready", flush=True)))
