"""What processes use: CPU time and memory, read from the system before and after."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

Seconds = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Accounts:
    """The processes of the stack, by what they are called in the tables."""

    pids: Mapping[str, tuple[int, ...]]

    def cpu(self) -> dict[str, float]:
        """CPU seconds used so far, by name; those of ended children are in their parent's."""
        return {name: sum(map(_with_children, pids)) for name, pids in self.pids.items()}

    def resident_mib(self, name: str) -> float:
        """Memory of the largest of the processes of this name."""
        return max(psutil.Process(pid).memory_info().rss for pid in self.pids[name]) / 2**20


def used(before: Seconds, after: Seconds) -> dict[str, float]:
    """The difference, by name."""
    return {name: after[name] - before[name] for name in after}


def of_programs(parent: int, names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """The descendants of a process whose program has one of these names; only the topmost of each."""
    everything = {
        each.pid: _name_and_parent(each) for each in psutil.Process(parent).children(recursive=True)
    }
    return {
        name: tuple(
            pid
            for pid, (program, above) in everything.items()
            if program == name and everything.get(above, ("", 0))[0] != name
        )
        for name in names
    }


def _name_and_parent(process: psutil.Process) -> tuple[str, int]:
    try:
        return process.name(), process.ppid()
    except psutil.Error:
        return "", 0


def _with_children(pid: int) -> float:
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        total = times.user + times.system + times.children_user + times.children_system
        return total + sum(_alone(child) for child in process.children(recursive=True))
    except psutil.NoSuchProcess:
        return 0.0


def _alone(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system
