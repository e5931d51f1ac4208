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
    supervisor = Supervisor(children, Limits(ready=2, shutdown=1))
    sys.exit(supervisor.run(lambda: print("all are ready", flush=True)))
