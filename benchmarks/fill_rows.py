"""The rows of a database that has been in use for a while, as lines of text for COPY. Pure: a seed tells all of them.

Runs are made in the order of their creation, spread evenly over ninety days before `until`. Nine of ten complete, the
rest fails, crashes or is cancelled, some before they start. A twentieth has task runs, up to nine; some of these start
subflow runs. A few deployments make most of the runs; their tags are those of their runs, and one run in a thousand
is `rare`. Of the states of each run only the current one is there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from uuid import UUID

SPAN = timedelta(days=90)
CHUNK = 20_000
FLOWS = 200
DEPLOYMENTS = 500
QUEUES = 10
#: Beside the finished runs.
RUNNING, SCHEDULED = 200, 2_000
NULL = r"\N"

_TASKS_EVERY = 20
_IN_STATES = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_SHARES = (90, 6, 1, 3)
_ADJECTIVES = (
    "able",
    "bold",
    "calm",
    "eager",
    "fair",
    "glad",
    "keen",
    "lucky",
    "merry",
    "neat",
    "proud",
    "quick",
)
_ANIMALS = (
    "adder",
    "bear",
    "crane",
    "dove",
    "eagle",
    "finch",
    "goose",
    "heron",
    "ibis",
    "lark",
    "newt",
    "otter",
)

Lines = dict[str, list[str]]
COLUMNS = {
    "flow": "id, created, updated, name, tags",
    "work_pool": "id, created, updated, name",
    "work_queue": "id, created, updated, name, work_pool_id",
    "deployment": "id, created, updated, name, flow_id, work_queue_id, work_queue_name, tags",
    "flow_run": "id, created, updated, version, name, flow_id, deployment_id, work_queue_id, work_queue_name, tags, "
    "parameters, idempotency_key, parent_task_run_id, run_count, start_time, end_time, expected_start_time, "
    "next_scheduled_start_time, total_run_time, state_id, state_type, state_name, state_timestamp",
    "task_run": "id, created, updated, version, name, flow_run_id, task_key, dynamic_key, tags, run_count, start_time, "
    "end_time, expected_start_time, total_run_time, state_id, state_type, state_name, state_timestamp",
    "flow_run_state": "id, flow_run_id, type, name, timestamp, message",
    "task_run_state": "id, task_run_id, type, name, timestamp, message",
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a run has of its deployment, as it stands in its line."""

    id: str
    flow_id: str
    queue_id: str
    queue_name: str
    tags: str


@dataclass(slots=True)
class Surroundings:
    """What there is beside runs, and how often each deployment runs."""

    lines: Lines
    deployments: Sequence[Deployment]
    weights: Sequence[float]


@dataclass(slots=True)
class _Chunk:
    random: Random
    lines: Lines = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def add(self, table: str, *values: object) -> None:
        self.lines[table].append("\t".join(map(str, values)))


@dataclass(frozen=True, slots=True)
class _Course:
    """How a run went."""

    created: datetime
    start: datetime | None
    end: datetime | None
    type: str
    name: str

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds() if self.start and self.end else 0.0


def surroundings(seed: int, until: datetime) -> Surroundings:
    """Flows, deployments, work pools and queues."""
    chunk, made = _Chunk(Random(f"{seed} surroundings")), until - SPAN
    random = chunk.random
    flows = [_id(made, random) for _ in range(FLOWS)]
    for number, flow in enumerate(flows):
        chunk.add("flow", flow, made, made, f"flow-{number}", '["core"]' if number % 4 == 0 else "[]")
    pool = _id(made, random)
    chunk.add("work_pool", pool, made, made, "pool")
    queues = [(_id(made, random), f"queue-{number}") for number in range(QUEUES)]
    for queue, name in queues:
        chunk.add("work_queue", queue, made, made, name, pool)
    deployments = []
    for number in range(DEPLOYMENTS):
        queue, name = queues[number % QUEUES]
        tags = _tags("nightly" if number % 3 == 0 else "hourly", f"team-{number % 20}", number % 7 == 0)
        each = Deployment(_id(made, random), flows[number % FLOWS], queue, name, tags)
        deployments.append(each)
        chunk.add(
            "deployment", each.id, made, made, f"deployment-{number}", each.flow_id, queue, name, each.tags
        )
    return Surroundings(chunk.lines, deployments, list(accumulate(1 / (n + 5) for n in range(DEPLOYMENTS))))


def _tags(*tags: str | bool) -> str:
    named = ["production" if each is True else each for each in tags if each is not False]
    return "[" + ", ".join(f'"{each}"' for each in named) + "]"


def chunks(runs: int) -> Iterator[range]:
    """The numbers of the runs, in portions."""
    return (range(first, min(first + CHUNK, runs)) for first in range(0, runs, CHUNK))


def finished(seed: int, numbers: range, runs: int, around: Surroundings, until: datetime) -> Lines:
    """Some of `runs` finished flow runs, with their task runs and the state of each."""
    chunk = _Chunk(Random(f"{seed} {numbers.start}"))
    pace, task = SPAN / runs, None
    deployments = chunk.random.choices(around.deployments, cum_weights=around.weights, k=len(numbers))
    for number, deployment in zip(numbers, deployments, strict=True):
        created = until - SPAN + pace * number
        course = _finished(created, chunk.random)
        parent = task if number % _TASKS_EVERY == 1 else None
        run_id = _flow_run(chunk, number, deployment, course, parent)
        if number % _TASKS_EVERY == 0:
            task = _task_runs(chunk, run_id, course)
    return chunk.lines


def unfinished(seed: int, around: Surroundings, until: datetime) -> Lines:
    """Some that run, and some that are planned for the next days."""
    chunk = _Chunk(Random(f"{seed} unfinished"))
    for number in range(RUNNING + SCHEDULED):
        running = number < RUNNING
        created = until - timedelta(seconds=number)
        planned = created if running else until + timedelta(days=1, seconds=chunk.random.random() * 200_000)
        kind = "RUNNING" if running else "SCHEDULED"
        course = _Course(created, planned, None, kind, kind.capitalize())
        (deployment,) = chunk.random.choices(around.deployments, cum_weights=around.weights)
        _flow_run(chunk, -1 - number, deployment, course, None)
    return chunk.lines


def _finished(created: datetime, random: Random) -> _Course:
    (kind,) = random.choices(_IN_STATES, _SHARES)
    name = "TimedOut" if kind == "FAILED" and random.random() < 0.1 else kind.capitalize()
    if kind == "CANCELLED" and random.random() < 0.3:
        return _Course(created, None, None, kind, name)
    start = created + timedelta(seconds=random.random() * 5)
    return _Course(created, start, start + timedelta(seconds=random.expovariate(1 / 60)), kind, name)


def _flow_run(chunk: _Chunk, number: int, deployment: Deployment, course: _Course, parent: str | None) -> str:
    random = chunk.random
    run_id, state_id = _id(course.created, random), _id(course.created, random)
    moment = course.end or course.start or course.created
    tags = deployment.tags if random.random() >= 0.001 else deployment.tags.replace("]", ', "rare"]')
    planned = course.type == "SCHEDULED"
    chunk.add(
        "flow_run",
        run_id,
        course.created,
        course.created if planned else moment,
        1 if planned else 4,
        f"{random.choice(_ADJECTIVES)}-{random.choice(_ANIMALS)}-{random.randrange(100_000)}",
        deployment.flow_id,
        deployment.id,
        deployment.queue_id,
        deployment.queue_name,
        tags,
        f'{{"number": {number}, "region": "eu-west"}}',
        f"key-{number}" if number % 10 == 0 else NULL,
        parent or NULL,
        0 if planned or course.start is None else 1,
        NULL if planned else course.start or NULL,
        course.end or NULL,
        course.start if planned else course.created,
        course.start if planned else NULL,
        course.seconds,
        state_id,
        course.type,
        course.name,
        moment,
    )
    chunk.add("flow_run_state", state_id, run_id, course.type, course.name, moment, NULL)
    return run_id


def _task_runs(chunk: _Chunk, flow_run_id: str, course: _Course) -> str:
    """Answers the last one."""
    random, run_id = chunk.random, ""
    for number in range(random.randrange(1, 10)):
        run_id, state_id = _id(course.created, random), _id(course.created, random)
        start, end = course.start or course.created, course.end or course.created
        kind, name = course.type, course.name
        chunk.add(
            "task_run",
            run_id,
            course.created,
            end,
            3,
            f"load-{number}",
            flow_run_id,
            "load",
            number,
            '["database"]' if number % 4 == 0 else "[]",
            1,
            start,
            end,
            start,
            course.seconds,
            state_id,
            kind,
            name,
            end,
        )
        chunk.add("task_run_state", state_id, run_id, kind, name, end, NULL)
    return run_id


def _id(moment: datetime, random: Random) -> str:
    """A UUID of version 7, of this moment."""
    milliseconds = int(moment.timestamp() * 1000)
    high, low = random.getrandbits(12), random.getrandbits(62)
    return str(UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low))


def noon_of(moment: datetime) -> datetime:
    """The last noon: where nobody says otherwise, what is made on one day is the same."""
    noon = moment.astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return noon if noon <= moment else noon - timedelta(days=1)
