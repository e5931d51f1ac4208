"""Processes that this one starts: they end with it, however it ends, and are started again when they crash.

Written here because none of what there is does both: honcho and its kind stop everything at the first exit,
circus and supervisord are daemons of their own with their own configuration.
"""

from workers.supervisor.lifeline import Program, spawn, stop_hard
from workers.supervisor.readiness import tell_ready
from workers.supervisor.supervise import Child, Limits, Supervisor

__all__ = ["Child", "Limits", "Program", "Supervisor", "spawn", "stop_hard", "tell_ready"]
