"""What is said in a replay: the recording's commands with times of today, and completed where it left things out.

`flow_run.update` replaces `empirical_policy` as a whole, pause keys included, so clients send the keys back with it.
The recording has left them out, and each update would make the server forget the pauses of the run. They are put
back here: the keys of all pauses that the recorded server had accepted since the run last began.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from messages.fields import JsonObject
from workers.demo.expiries import Looks
from workers.demo.recording import Recorded, Recording
from workers.demo.tempo import Tempo


def completed(recording: Recording) -> Recording:
    """The recording with the pause keys that it had left out."""
    return Recording(tuple(_with_pause_keys(recording.commands)))


def envelope(each: Recorded, tempo: Tempo, looks: Looks) -> JsonObject:
    """A command as it is sent in the replay."""
    changed = tempo.envelope(each.command)
    details = each.proposed.get("state_details") or {}
    later = {}
    if details.get("pause_timeout") and each.run_id:
        later["pause_timeout"] = looks.pause(each.run_id, details["pause_timeout"], tempo).isoformat()
    if details.get("cache_expiration") and details.get("cache_key"):
        later["cache_expiration"] = looks.cache(
            details["cache_key"], details["cache_expiration"], tempo
        ).isoformat()
    if later:
        changed["data"]["state"]["state_details"].update(later)
    return changed


def _with_pause_keys(commands: Iterable[Recorded]) -> Iterable[Recorded]:
    keys: dict[str, set[str]] = defaultdict(set)
    for each in commands:
        run_id = each.run_id or ""
        if each.type == "flow_run.update" and keys[run_id] and "empirical_policy" in each.data:
            yield _completed(each, keys[run_id])
            continue
        observed = each.observed or {}
        key = (each.proposed.get("state_details") or {}).get("pause_key")
        if each.type == "flow_run.set_state" and observed.get("state_name") == "AwaitingRetry":
            keys[run_id].clear()
        elif key and observed.get("status") == "ACCEPT" and observed.get("state_type") == "PAUSED":
            keys[run_id].add(key)
        yield each


def _completed(each: Recorded, keys: set[str]) -> Recorded:
    policy = {"pause_keys": sorted(keys), "resuming": True, **each.data["empirical_policy"]}
    return replace(each, command={**each.command, "data": {**each.data, "empirical_policy": policy}})
