"""The figures at the end of a replay. Pure."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from workers.demo.answers import Played
from workers.demo.reasons import Difference, Reason, differences

SLOWEST = 10
STATUSES = ("OK", "ACCEPT", "REJECT", "WAIT", "ABORT", "ERROR")


@dataclass(frozen=True)
class RoundTrips:
    """How long answers took, in milliseconds."""

    p50: float
    p99: float
    longest: float


@dataclass(frozen=True)
class Summary:
    """What came of a replay."""

    commands: int
    unanswered: tuple[Played, ...]
    seconds: float
    # By type of command and status.
    answers: Counter[tuple[str, str]]
    compared: int
    lost: int
    differences: tuple[Difference, ...]
    round_trips: RoundTrips
    slowest: tuple[Played, ...]

    @property
    def agreeing(self) -> int:
        """The answers that are as the recorded server gave them."""
        return self.compared - sum(each.played.recorded.observed is not None for each in self.differences)

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """The differences that fail the demo."""
        return tuple(each for each in self.differences if each.reason is None)

    @property
    def by_reason(self) -> dict[Reason, int]:
        """How many differences have which reason."""
        return dict(Counter(each.reason for each in self.differences if each.reason is not None))

    @property
    def is_good(self) -> bool:
        """Every command was answered, and every difference has a reason."""
        return not self.unanswered and not self.unexplained

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "ok": self.is_good,
            "commands": self.commands,
            "unanswered": [each.recorded.id for each in self.unanswered],
            "seconds": round(self.seconds, 3),
            "commands_per_second": round(self.commands / self.seconds, 1),
            "answers": [
                {"type": kind, "status": status, "count": count}
                for (kind, status), count in sorted(self.answers.items())
            ],
            "compared": self.compared,
            "agreeing": self.agreeing,
            "differences": [_difference(each) for each in self.differences],
            "round_trip_ms": {
                "p50": self.round_trips.p50,
                "p99": self.round_trips.p99,
                "max": self.round_trips.longest,
            },
            "slowest": [
                {"id": each.recorded.id, "type": each.recorded.type, "ms": milliseconds(each)}
                for each in self.slowest
            ],
        }


def summarise(played: list[Played], seconds: float) -> Summary:
    """The figures of a replay."""
    answered = [each for each in played if each.result is not None]
    by_time = sorted(answered, key=lambda each: each.seconds)
    observed = [each.recorded.observed for each in answered if each.recorded.observed is not None]
    return Summary(
        commands=len(played),
        unanswered=tuple(each for each in played if each.result is None),
        seconds=seconds,
        answers=Counter((each.recorded.type, str(each.result.status)) for each in answered if each.result),
        compared=len(observed),
        lost=sum(bool(each.get("lost")) for each in observed),
        differences=tuple(differences(played)),
        round_trips=RoundTrips(_share(by_time, 0.5), _share(by_time, 0.99), _share(by_time, 1.0)),
        slowest=tuple(reversed(by_time[-SLOWEST:])),
    )


def milliseconds(each: Played) -> float:
    """How long its answer took."""
    return round(each.seconds * 1000, 1)


def _share(by_time: list[Played], share: float) -> float:
    """The time within which this share of the answers came."""
    return milliseconds(by_time[min(int(len(by_time) * share), len(by_time) - 1)]) if by_time else 0.0


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "id": each.played.recorded.id,
        "type": each.played.recorded.type,
        "run": each.played.run_id,
        "offset_s": each.played.recorded.offset_s,
        "members": [
            {"name": member.name, "recorded": member.recorded, "answered": member.answered}
            for member in each.members
        ],
        "reason": None if each.reason is None else each.reason.name.lower(),
    }
