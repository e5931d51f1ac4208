"""A snapshot as one JSON object, for programs. Durations are seconds; what is not known is null. Pure."""

from typing import Any

from workers.figures.snapshot import DatabaseFigures, Figures, RedisFigures
from workers.figures.words import STATES, needing_attention

_SHARES = {"p50_s": 0.5, "p95_s": 0.95, "p99_s": 0.99}


def as_json(figures: Figures) -> dict[str, Any]:
    """Every figure under the name that the documents give it."""
    return {
        "at": figures.at,
        "attention": needing_attention(figures),
        "redis": None if figures.redis is None else _redis(figures.redis),
        "database": None if figures.database is None else _database(figures, figures.database),
    }


def _redis(part: RedisFigures) -> dict[str, Any]:
    recent = part.recent
    return {
        "queues": {
            each.name: {
                "ready": each.ready,
                "in_hand": each.in_hand,
                "delayed": each.delayed,
                "oldest_s": each.oldest_s,
            }
            for each in part.queues
        },
        "commands": {
            "per_second": recent.rate,
            "window_s": recent.window_s,
            "each_second": list(recent.per_second),
            "statuses": dict(recent.statuses),
            "round_trip": {name: recent.trips.quantile(share) for name, share in _SHARES.items()},
        },
        "workers": {"alive": part.consumers.alive, "silent": part.consumers.silent},
        "clock_skew_s": part.skew_s,
    }


def _database(figures: Figures, part: DatabaseFigures) -> dict[str, Any]:
    return {
        "flow_runs": {state.value: part.runs.by_state[state] for state in STATES},
        "ended_are_estimated": part.runs.is_estimated,
        "waiting": {
            name: {"number": each.number, "oldest_s": figures.age_of(each.oldest)}
            for name, each in part.waiting.items()
        },
        "limits": [
            {
                "name": each.name,
                "deployment": each.deployment,
                "held": each.held,
                "limit": each.limit,
                "active": each.active,
            }
            for each in part.limits
        ],
        "limits_in_all": part.limits_in_all,
        "relay_is_active": part.relay_is_active,
        "clock_is_active": part.clock_is_active,
        "clock_skew_s": part.skew_s,
    }
