"""Replays cases through Redis, many at a time."""

import json
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Self

from redis import Redis

from tests.contract.wire import Wire
from tests.parity.comparison import Comparison
from tests.parity.corpus import Case
from tests.parity.values import Values

AT_ONCE = 24
ANSWER_WITHIN_S = 60.0
# How long a stream is watched for notifications that should not come.
SETTLES_IN_S = 0.3
Failures = dict[str, list[str]]


class Correspondence:
    """Sends for many cases at once, and hands each result to the one that waits for it."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._boxes: dict[str, queue.Queue[tuple[Any, datetime]]] = {}
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, name="parity results")

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._reader.join()

    def ask(self, kind: str, data: Any) -> tuple[Any, datetime, datetime]:
        """The result's data, when the message was sent, and when the result came."""
        envelope = self.wire.envelope(
            kind, data, time=datetime.now(UTC).isoformat(), datacontenttype="application/json"
        )
        box = self._boxes[envelope["id"]] = queue.Queue()
        sent = datetime.now(UTC)
        self.wire.send(envelope)
        result, received = box.get(timeout=ANSWER_WITHIN_S)
        return result, sent, received

    def _read(self) -> None:
        stream, last = f"{self.wire.namespace}:replies:{self.wire.replyto}", "0"
        while not self._over.is_set():
            answer: Any = self.wire.redis.xread({stream: last}, count=500, block=100)
            for _, entries in answer or []:
                for ident, fields in entries:
                    last = ident
                    event = json.loads(fields["event"])
                    box = self._boxes.pop(event["causationid"], None)
                    if box is not None:
                        box.put((event["data"], datetime.now(UTC)))


def replay(redis: Redis, namespace: str, cases: Iterable[Case]) -> Failures:
    """What went otherwise than recorded: sentences, by the case's id."""
    with Correspondence(Wire(redis, namespace)) as correspondence, ThreadPoolExecutor(AT_ONCE) as threads:
        started = {case["id"]: threads.submit(_run, correspondence, case) for case in cases}
        return {ident: wrong for ident, case in started.items() if (wrong := case.result())}


def _run(correspondence: Correspondence, case: Case) -> list[str]:
    values, told = Values(), []
    for number, step in enumerate(case["steps"], 1):
        if "sleep" in step:
            time.sleep(step["sleep"])
        else:
            run = _sent if "send" in step else _notified
            told += [f"step {number}: {sentence}" for sentence in run(correspondence, values, step)]
    return told


def _sent(correspondence: Correspondence, values: Values, step: dict[str, Any]) -> list[str]:
    kind = step["send"]["type"]
    for name, text in step.get("let", {}).items():
        values.saved[name] = values.fill(text)
    data, sent, received = correspondence.ask(kind, values.fill(step["send"]["data"]))
    values.keep(step.get("save", {}), data)
    if data["status"] == "ERROR" and step["expect"].get("status") != "ERROR":
        return [f"{kind}: {data['error']['code']}: {data['error']['message']}"]
    comparison = Comparison(values, data, sent, received)
    comparison.check(step["expect"], data)
    return [f"{kind}: {path} is {got!r}, not {expected!r}" for path, expected, got in comparison.wrong]


def _notified(correspondence: Correspondence, values: Values, step: dict[str, Any]) -> list[str]:
    stream = f"notifications:{values.fill(step['notifications']['name'])}"
    flows = values.fill(step["notifications"]["flows"])
    wanted = values.fill(step["expect"])

    def arrived() -> list[Any]:
        events = {event["id"]: event["data"] for event in correspondence.wire.stream(stream)}
        return [data for data in events.values() if data["flow_id"] in flows]

    give_up_at = time.monotonic() + ANSWER_WITHIN_S
    while len(arrived()) < len(wanted) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    time.sleep(SETTLES_IN_S)
    expected, got = _by_policy_and_run(wanted), _by_policy_and_run(arrived())
    return [] if expected == got else [f"notifications are {got}, not {expected}"]


def _by_policy_and_run(items: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[tuple[str, str]]]:
    groups = defaultdict(list)
    for item in items:
        state = (item["flow_run_state_type"], item["flow_run_state_name"])
        groups[item["policy_id"], item["flow_run_id"]].append(state)
    return groups
