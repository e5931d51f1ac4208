"""Checks the whole history of a run of the system against what it promises, whatever was killed meanwhile.

What came in (commands), what came out (results, events), and what the database holds must tell the same story.
`violations` answers with sentences; an empty list means that every promise was kept.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import psycopg
from psycopg.rows import dict_row
from redis import Redis

from tests.crashes.legality import illegal

Envelope = Mapping[str, Any]
_UNDER_WAY = ("PENDING", "RUNNING", "CANCELLING")
_CHANGES = ("created", "updated", "state_changed", "deleted")
_AT_REST = {
    "no command is parked": "SELECT count(*) FROM parked_command",
    "the outbox is empty": "SELECT count(*) FROM outbox WHERE published IS NULL",
    "no result is noted as unpublished": "SELECT count(*) FROM unpublished_results",
    "no command waits for another attempt": "SELECT count(*) FROM attempt",
    "no ended run holds a slot": """
        SELECT count(*) FROM concurrency_slot s JOIN flow_run r ON r.id = s.flow_run_id
        WHERE r.state_type IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')""",
    "no ended task run holds a slot": """
        SELECT count(*) FROM concurrency_slot s JOIN task_run r ON r.id = s.task_run_id
        WHERE r.state_type IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')""",
    "no limit has more holders than slots": """
        SELECT count(*) FROM concurrency_limit l
        WHERE l.limit < (SELECT coalesce(sum(slots), 0) FROM concurrency_slot s WHERE s.limit_id = l.id)""",
}


@dataclass
class Run:
    """What the database holds of a run, and its history, oldest state first."""

    version: int
    state_id: str | None
    states: list[str]


@dataclass
class History:
    """Everything there is to compare."""

    sent: Mapping[str, Envelope]
    results: Sequence[Envelope]
    events: Sequence[Envelope]
    inbox: Mapping[str, Envelope] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)
    at_rest: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    #: all events that were committed, in the order of the outbox
    outbox: Sequence[Envelope] = ()
    #: what came to `notifications:NAME`, repeats included
    notices: Sequence[Envelope] = ()
    #: how many runs of a deployment may be under way at once
    limits: Mapping[str, int] = field(default_factory=dict)
    #: what stands in the dead letters; what was sent to end there, each known by a piece of its text
    dead: Sequence[str] = ()
    doomed: Set[str] = frozenset()
    #: commands of which copies with other contents were sent, after they had been answered
    altered: Set[str] = frozenset()
    #: a publisher may not have heard that Redis has taken something, and says it again: same id, same words
    said_again: bool = False
    #: commands that no handler can carry out: they are to end as ERROR `internal`, and no others
    given_up: Set[str] = frozenset()

    def violations(self) -> list[str]:
        """What is wrong, in sentences; at most a few of each kind."""
        checks = (
            self._every_command_is_answered,
            self._results_agree,
            self._events_have_one_id_each,
            self._events_answer_to_commands,
            self.broken_histories,
            self._sequences_were_kept,
            self._nothing_is_left_over,
            self._the_stream_tells_what_was_committed,
            self._notices_keep_their_order,
            self._slots_were_never_overdrawn,
            self._nothing_is_dropped_in_silence,
            self._copies_with_other_contents_are_told,
            self._nothing_else_is_given_up,
            lambda: illegal(self.legal(), self.inbox, self.changes()),
        )
        return [sentence for check in checks for sentence in list(check())[:5]]

    def legal(self) -> Mapping[str, Envelope]:
        """The commands on which rules decided."""
        return {ident: each for ident, each in self.sent.items() if ident not in self.given_up}

    def lost(self) -> set[str]:
        """Commands that nobody knows of, or whose results never came."""
        answered = {result["causationid"] for result in self.results}
        return {
            ident
            for ident, command in self.sent.items()
            if ident not in self.inbox or ("replyto" in command and ident not in answered)
        }

    def applied_twice(self) -> set[str]:
        """Commands with two first results, or more changes than they report."""
        reported, announced = self._reported_and_announced()
        return self._first_results_twice() | {
            ident for ident, number in announced.items() if number > reported.get(ident, 0)
        }

    def _first_results_twice(self) -> set[str]:
        first = [each for each in self.results if not each["data"]["replayed"] and not _is_reused(each)]
        told = {(each["causationid"], each["id"]) for each in first} if self.said_again else first
        ids = (each[0] if isinstance(each, tuple) else each["causationid"] for each in told)
        return {ident for ident, number in Counter(ids).items() if number > 1}

    def _every_command_is_answered(self) -> Iterator[str]:
        answered = {result["causationid"] for result in self.results}
        expecting = {ident for ident, command in self.sent.items() if "replyto" in command}
        yield from (f"command {ident} has no result" for ident in expecting - answered)
        yield from (f"a result answers {ident}, which nobody sent" for ident in answered - self.sent.keys())
        yield from (f"command {ident} is not in the inbox" for ident in self.sent.keys() - self.inbox.keys())
        yield from (
            f"the inbox has {ident}, which nobody sent" for ident in self.inbox.keys() - self.sent.keys()
        )

    def _results_agree(self) -> Iterator[str]:
        """However often a result is published, it is the one that the inbox holds, and marked as a repeat."""
        twice = self._first_results_twice()
        for ident, all_results in _grouped(self.results, "causationid").items():
            results = [each for each in all_results if not (ident in self.altered and _is_reused(each))]
            told = [_without_mark(result) for result in results]
            stored = self.inbox.get(ident)
            if stored is not None and any(each != _without_mark(stored) for each in told):
                yield f"the results of {ident} differ from the one in the inbox"
            if ident in twice:
                yield f"command {ident} was answered twice as if it had been applied twice"

    def _events_have_one_id_each(self) -> Iterator[str]:
        for ident, events in _grouped(self.events, "id").items():
            if any(event != events[0] for event in events):
                yield f"event {ident} was published with two contents"

    def _events_answer_to_commands(self) -> Iterator[str]:
        """Each change that a result reports was announced once, and no other was."""
        reported, announced = self._reported_and_announced()
        for ident in reported.keys() | announced.keys():
            if reported.get(ident, 0) != announced.get(ident, 0):
                yield (
                    f"{self._kind(ident)} {ident} made {reported.get(ident, 0)} changes, "
                    f"{announced.get(ident, 0)} were announced"
                )

    def _reported_and_announced(self) -> tuple[dict[str, int], dict[str, int]]:
        written_by = {
            event["data"]["validated_state"]["id"]: event["causationid"]
            for event in self.changes()
            if _is_transition(event)
        }
        reported = {ident: _changes_in(result, written_by) for ident, result in self.inbox.items()}
        announced: dict[str, int] = defaultdict(int)
        for event in self.changes():
            announced[event["causationid"]] += not self._by_the_way(event)
        return reported, announced

    def _by_the_way(self, event: Envelope) -> bool:
        """A rejected state can leave a trace in the run's memory of its pauses; task runs go with their flow run."""
        told = (self.sent.get(event["causationid"], {}).get("type"), event["type"])
        return told == ("flow_run.delete", "task_run.deleted") or (
            event["type"].endswith(".updated") and self._kind(event["causationid"]) == "set_state"
        )

    def broken_histories(self) -> Iterator[str]:
        """Versions 1, 2, 3, … in the order of the stream; each state follows the one before; the row is the last."""
        told = _grouped(self.changes(), "subject")
        for run_id in told.keys() | self.runs.keys():
            events, run = told.get(run_id, []), self.runs.get(run_id)
            versions = [int(event["sequence"]) for event in events]
            if versions != list(range(1, len(events) + 1)):
                yield f"run {run_id} has the versions {versions}"
            yield from _chain(run_id, events)
            if run is None:
                if not events[-1]["type"].endswith(".deleted"):
                    yield f"run {run_id} was announced, and is not there"
                continue
            if run.version != len(events):
                yield f"run {run_id} has version {run.version} after {len(events)} announced changes"
            states = [event["data"]["validated_state"]["id"] for event in events if _is_transition(event)]
            if states != run.states:
                yield f"the states of run {run_id} are not those that were announced"
            if run.state_id != (states[-1] if states else None):
                yield f"run {run_id} does not have the last state of its history"

    def _sequences_were_kept(self) -> Iterator[str]:
        """Commands of one key changed their run in the order of their numbers."""
        place = {event["causationid"]: index for index, event in reversed(list(enumerate(self.changes())))}
        keys: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for ident, command in self.sent.items():
            if "sequence" in command and ident in place:
                keys[command["source"], command["partitionkey"]].append(
                    (int(command["sequence"]), place[ident])
                )
        for key, places in keys.items():
            if any(first[1] > second[1] for first, second in pairwise(sorted(places))):
                yield f"the commands of {key} were not applied in their order"

    def _nothing_is_left_over(self) -> Iterator[str]:
        yield from (f"it is not true that {claim}: {count}" for claim, count in self.at_rest.items() if count)
        if self.waiting:
            yield f"{self.waiting} messages are still in the queue or in somebody's hands"

    def _the_stream_tells_what_was_committed(self) -> Iterator[str]:
        """Every event that was committed, and no other; those about one thing in the order of their commits."""
        told, committed = _ids_by_subject(self.events), _ids_by_subject(self.outbox)
        for subject in told.keys() | committed.keys():
            published, kept = told.get(subject, []), committed.get(subject, [])
            if set(published) != set(kept):
                yield f"{len(set(kept) - set(published))} events of {subject} were committed and not published"
                yield f"{len(set(published) - set(kept))} events of {subject} were published and not committed"
            elif published != kept:
                yield f"the events of {subject} were not published in the order of the outbox"

    def _notices_keep_their_order(self) -> Iterator[str]:
        told = _ids_by_subject(self.notices)
        committed = _ids_by_subject(each for each in self.outbox if each["type"] == "notification")
        for subject in told.keys() | committed.keys():
            came, kept = told.get(subject, []), committed.get(subject, [])
            if came != kept:
                yield f"{len(kept)} notifications about {subject}, {len(came)} came, or their order differs"

    def _slots_were_never_overdrawn(self) -> Iterator[str]:
        """From PENDING until they end or rest, runs of a deployment hold its slots."""
        under_way: dict[str, set[str]] = defaultdict(set)
        for event in self.changes():
            for runs in under_way.values():
                if event["type"] == "flow_run.deleted":
                    runs.discard(event["subject"])
            deployment = _is_transition(event) and event["data"]["run"].get("deployment_id")
            if not deployment or deployment not in self.limits:
                continue
            state = event["data"]["validated_state"]["type"]
            if state == "PENDING" and self._takes_a_slot(event):
                under_way[deployment].add(event["subject"])
            elif state not in _UNDER_WAY:
                under_way[deployment].discard(event["subject"])
            if len(under_way[deployment]) > self.limits[deployment]:
                yield f"{len(under_way[deployment])} runs of deployment {deployment} held its slots"

    def _takes_a_slot(self, event: Envelope) -> bool:
        """By the rules; and only who has none."""
        forced = self.sent.get(event["causationid"], {}).get("data", {}).get("force", False)
        return not forced and (event["data"]["initial_state"] or {}).get("type") not in _UNDER_WAY

    def _nothing_is_dropped_in_silence(self) -> Iterator[str]:
        """What was sent to end in the dead letters is there, and nothing else is."""
        for piece in self.doomed:
            if not any(piece in letter for letter in self.dead):
                yield f"{piece} is not in the dead letters"
        for letter in self.dead:
            if not any(piece in letter for piece in self.doomed):
                yield f"nobody expected this dead letter: {letter[:200]}"

    def _copies_with_other_contents_are_told(self) -> Iterator[str]:
        told = {result["causationid"] for result in self.results if _is_reused(result)}
        yield from (f"nobody was told that {ident} was used again" for ident in self.altered - told)
        yield from (f"{ident} is said to be used again, and was not" for ident in told - self.altered)

    def _nothing_else_is_given_up(self) -> Iterator[str]:
        """Trouble of the servers is never a verdict."""
        for ident, result in self.inbox.items():
            code = (result["data"].get("error") or {}).get("code")
            if (code == "internal") != (ident in self.given_up):
                yield f"{self._kind(ident)} {ident} ended with the error {code}"

    def _kind(self, ident: str) -> str:
        return str(self.sent.get(ident, {}).get("type", "unknown")).split(".")[-1]

    def changes(self) -> list[Envelope]:
        """The events about runs, repeats dropped, in the order in which they first came."""
        first: dict[str, Envelope] = {}
        for event in self.events:
            about, _, what = event["type"].partition(".")
            if about in ("flow_run", "task_run") and what in _CHANGES:
                first.setdefault(event["id"], event)
        return list(first.values())


def from_database(url: str, history: History) -> History:
    """Adds what the database holds."""
    with psycopg.connect(url, row_factory=dict_row, autocommit=True) as connection:
        history.inbox = {
            str(row["id"]): json.loads(row["result"])
            for row in connection.execute("SELECT id, result FROM command")
        }
        runs: dict[str, Run] = {}
        for kind in ("flow_run", "task_run"):
            for row in connection.execute(f"SELECT id, version, state_id FROM {kind}"):
                state_id = None if row["state_id"] is None else str(row["state_id"])
                runs[str(row["id"])] = Run(row["version"], state_id, [])
            for row in connection.execute(
                f"SELECT id, {kind}_id AS run FROM {kind}_state ORDER BY timestamp"
            ):
                runs[str(row["run"])].states.append(str(row["id"]))
        history.runs = runs
        history.outbox = [
            envelope
            for row in connection.execute("SELECT entries FROM outbox ORDER BY id")
            for stream, envelope in json.loads(row["entries"])
            if stream == "events"
        ]
        history.dead = [
            bytes(row["body"]).decode(errors="replace")
            for row in connection.execute("SELECT body FROM dead_letter ORDER BY id")
        ]
        history.limits = {
            str(row["id"]): row["limit"]
            for row in connection.execute(
                'SELECT d.id, l."limit" FROM deployment d JOIN concurrency_limit l ON l.id = d.concurrency_limit_id'
            )
        }
        history.at_rest = {
            claim: connection.execute(query).fetchone()["count"]  # type: ignore[index]
            for claim, query in _AT_REST.items()
        }
    return history


def messages_left(redis: Redis, namespace: str) -> int:
    """How many commands wait, are delayed, or are in the hands of a worker, dead or alive."""
    return sum(int(redis.hlen(f"{namespace}:{queue}.msgs")) for queue in ("commands", "commands.DQ"))


def at_rest(url: str, redis: Redis, namespace: str) -> bool:
    """Whether nothing is under way any more."""
    if messages_left(redis, namespace):
        return False
    with psycopg.connect(url, autocommit=True) as connection:
        counts = [connection.execute(query).fetchone()[0] for query in list(_AT_REST.values())[:4]]  # type: ignore[index]
    return not any(counts)


def _chain(run_id: str, events: Iterable[Envelope]) -> Iterator[str]:
    transitions = [event["data"] for event in events if _is_transition(event)]
    before = None
    for data in transitions:
        initial = data["initial_state"] and data["initial_state"]["id"]
        if initial != before:
            yield f"a state of run {run_id} does not follow the one before it"
        before = data["validated_state"]["id"]


def _is_reused(result: Envelope) -> bool:
    return bool((result["data"].get("error") or {}).get("code") == "id_reused")


def _is_transition(event: Envelope) -> bool:
    return bool(event["type"].endswith(".state_changed"))


def _changes_in(result: Envelope, written_by: Mapping[str, str]) -> int:
    """How many changes of runs a result reports; `written_by` = which command wrote a state."""
    data = result["data"]
    kind = data["command"]["type"]
    if data["status"] == "ERROR" or not kind.startswith(("flow_run.", "task_run.")):
        return 0
    match kind.split(".")[1]:
        case "create":
            run = data.get("flow_run") or data["task_run"]
            return 1 + (run["state"] is not None) if data["created"] else 0
        case "set_state":
            wrote_it = (
                data["state"] is not None and written_by.get(data["state"]["id"]) == result["causationid"]
            )
            return int(wrote_it or data["status"] == "ACCEPT")
        case _:
            return int(data.get("updated") or data.get("deleted") or False)


def _grouped(envelopes: Iterable[Envelope], attribute: str) -> dict[str, list[Envelope]]:
    groups: dict[str, list[Envelope]] = defaultdict(list)
    for each in envelopes:
        groups[each[attribute]].append(each)
    return groups


def _ids_by_subject(envelopes: Iterable[Envelope]) -> dict[str, list[str]]:
    """Repeats dropped, in the order in which they first came."""
    groups: dict[str, dict[str, None]] = defaultdict(dict)
    for each in envelopes:
        groups[each["subject"]][each["id"]] = None
    return {subject: list(ids) for subject, ids in groups.items()}


def _without_mark(result: Envelope) -> dict[str, Any]:
    return {**result, "data": {**result["data"], "replayed": None}}
