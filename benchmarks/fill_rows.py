"""The rows of a database that has been in use for a while, as statements: PostgreSQL makes them itself. Pure.

Everything follows from the seed and the number of a run, by PostgreSQL's own hash: the same on each machine.

Runs are made in the order of their creation, spread evenly over ninety days before `until`. Nine of ten complete, the
rest fails, crashes or is cancelled, some before they start. A twentieth has task runs, up to nine; the last of these
starts a subflow run. A few deployments make most of the runs; their tags are those of their runs, and one run in a
thousand is `rare`. Of the states of each run only the current one is there. Runs with negative numbers are not over:
some run, others are planned for the next days.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SPAN = timedelta(days=90)
CHUNK = 100_000
FLOWS = 200
DEPLOYMENTS = 500
QUEUES = 10
#: Beside the finished runs.
RUNNING, SCHEDULED = 200, 2_000

_TASKS_EVERY = 20
_MOST_TASKS = 9
_ADJECTIVES = "{able,bold,calm,eager,fair,glad,keen,lucky,merry,neat,proud,quick}"
_ANIMALS = "{adder,bear,crane,dove,eagle,finch,goose,heron,ibis,lark,newt,otter}"
_WORDS = 12
_MS_OF_SPAN = SPAN // timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sizes:
    """What all rows follow from."""

    runs: int
    seed: int
    until: datetime

    def hashed(self, number: str, purpose: int) -> str:
        """64 bits that are the same for the same number, purpose and seed."""
        return f"hashint8extended({number}, {self.seed * 100 + purpose})"

    def begin(self) -> int:
        """When the first run was made, in ms since 1970."""
        return self.end() - _MS_OF_SPAN

    def end(self) -> int:
        """`until`, likewise."""
        return (self.until - _EPOCH) // timedelta(milliseconds=1)

    def made(self, number: str) -> str:
        """When the finished run of this number was made, likewise."""
        return f"({self.begin()} + {number} * {_MS_OF_SPAN} / {self.runs})"

    def tasks_of(self, number: str) -> str:
        """How many task runs it has."""
        return f"(1 + ({self.hashed(number, 3)} & 1048575) % {_MOST_TASKS})"


def _share(bits: str, shift: int) -> str:
    """Twenty of the bits, as a number from 0 to 1."""
    return f"((({bits} >> {shift}) & 1048575) / 1048576.0::float8)"


def _id(made: str, bits: str, variant: str = "8") -> str:
    """A UUID of version 7, of this moment; another variant makes another of the same bits."""
    digits = f"lpad(to_hex({bits}), 16, '0')"
    return f"('0' || to_hex({made}) || '7' || left({digits}, 3) || '{variant}' || right({digits}, 15))::uuid"


def _moment(milliseconds: str) -> str:
    return f"to_timestamp({milliseconds} / 1000.0::float8)"


def surroundings(sizes: Sizes) -> Iterator[str]:
    """Flows, deployments, work pools and queues."""
    made = str(sizes.begin())
    when = _moment(made)

    def row_id(purpose: int) -> str:
        return _id(f"{made}::bigint", sizes.hashed("n", purpose))

    yield f"""INSERT INTO flow (id, created, updated, name, tags)
        SELECT {row_id(11)}, {when}, {when}, 'flow-' || n, CASE WHEN n % 4 = 0 THEN '["core"]' ELSE '[]' END::jsonb
        FROM generate_series(0, {FLOWS - 1}::bigint) n"""
    yield f"""INSERT INTO work_pool (id, created, updated, name)
        SELECT {row_id(12)}, {when}, {when}, 'pool' FROM generate_series(0, 0::bigint) n"""
    yield f"""INSERT INTO work_queue (id, created, updated, name, work_pool_id)
        SELECT {row_id(13)}, {when}, {when}, 'queue-' || n, work_pool.id
        FROM generate_series(0, {QUEUES - 1}::bigint) n, work_pool WHERE work_pool.name = 'pool'"""
    yield f"""INSERT INTO deployment (id, created, updated, name, flow_id, work_queue_id, work_queue_name, tags)
        SELECT {row_id(14)}, {when}, {when}, 'deployment-' || n, flow.id, work_queue.id, work_queue.name,
          jsonb_build_array(CASE WHEN n % 3 = 0 THEN 'nightly' ELSE 'hourly' END, 'team-' || n % 20)
          || CASE WHEN n % 7 = 0 THEN '["production"]' ELSE '[]' END::jsonb
        FROM generate_series(0, {DEPLOYMENTS - 1}::bigint) n
        JOIN flow ON flow.name = 'flow-' || n % {FLOWS} JOIN work_queue ON work_queue.name = 'queue-' || n % {QUEUES}"""


def chunks(sizes: Sizes) -> Iterator[range]:
    """The numbers of all runs, in portions: first those that are not over."""
    yield range(-RUNNING - SCHEDULED, 0)
    yield from (range(first, min(first + CHUNK, sizes.runs)) for first in range(0, sizes.runs, CHUNK))


def flow_runs(sizes: Sizes, numbers: range) -> str:
    """Flow runs, and the state of each."""
    parent = _id(sizes.made("(n - 1)"), sizes.hashed(f"((n - 1) * 16 + {sizes.tasks_of('(n - 1)')} - 1)", 4))
    return f"""
WITH made AS (INSERT INTO flow_run (id, created, updated, version, name, flow_id, deployment_id, work_queue_id,
    work_queue_name, tags, parameters, idempotency_key, parent_task_run_id, run_count, start_time, end_time,
    expected_start_time, next_scheduled_start_time, total_run_time, state_id, state_type, state_name, state_timestamp)
  SELECT {_id("made", "own")}, born, coalesce(end_time, start_time, born),
    CASE WHEN kind = 'SCHEDULED' THEN 1 ELSE 4 END,
    ('{_ADJECTIVES}'::text[])[1 + (own & 1023) % {_WORDS}] || '-' || ('{_ANIMALS}'::text[])[1 + ((own >> 10) & 1023)
      % {_WORDS}] || '-' || ((own >> 20) & 1048575) % 100000,
    d.flow_id, d.id, d.work_queue_id, d.work_queue_name,
    CASE WHEN {_share("luck", 20)} < 0.001 THEN d.tags || '["rare"]' ELSE d.tags END,
    ('{{"number": ' || n || ', "region": "eu-west"}}')::jsonb,
    CASE WHEN n % 10 = 0 THEN 'key-' || n END,
    CASE WHEN n % {_TASKS_EVERY} = 1 THEN {parent} END,
    CASE WHEN start_time IS NULL THEN 0 ELSE 1 END, start_time, end_time, coalesce(planned, born), planned,
    coalesce(extract(epoch FROM end_time - start_time)::float8, 0),
    {_id("made", "own", "9")}, kind,
    CASE WHEN kind = 'FAILED' AND {_share("luck", 0)} < 0.1 THEN 'TimedOut' ELSE initcap(kind) END,
    coalesce(end_time, start_time, born)
  FROM ({_courses(sizes, numbers)}) course JOIN deployment d ON d.name = 'deployment-' || choice
  RETURNING id, state_id, state_type, state_name, state_timestamp)
INSERT INTO flow_run_state (id, flow_run_id, type, name, timestamp)
SELECT state_id, id, state_type, state_name, state_timestamp FROM made"""


def task_runs(sizes: Sizes, numbers: range) -> str:
    """The task runs of these flow runs, and the state of each."""
    first = -(-numbers.start // _TASKS_EVERY) * _TASKS_EVERY
    return f"""
WITH made AS (INSERT INTO task_run (id, created, updated, version, name, flow_run_id, task_key, dynamic_key, tags,
    run_count, start_time, end_time, expected_start_time, total_run_time, state_id, state_type, state_name,
    state_timestamp)
  SELECT {_id("made", "task")}, born, ended, 3, 'load-' || place, {_id("made", "own")}, 'load', place::text,
    CASE WHEN place % 4 = 0 THEN '["database"]' ELSE '[]' END::jsonb, 1, began, ended, began,
    extract(epoch FROM ended - began)::float8, {_id("made", "task", "9")}, kind, initcap(kind), ended
  FROM (SELECT *, {sizes.hashed("(n * 16 + place)", 4)} AS task, coalesce(start_time, born) AS began,
      coalesce(end_time, born) AS ended
    FROM ({_courses(sizes, numbers, first, _TASKS_EVERY)}) course
    CROSS JOIN LATERAL generate_series(0, {sizes.tasks_of("n")} - 1) place OFFSET 0) each
  RETURNING id, state_id, state_type, state_name, state_timestamp)
INSERT INTO task_run_state (id, task_run_id, type, name, timestamp)
SELECT state_id, id, state_type, state_name, state_timestamp FROM made"""


def _courses(sizes: Sizes, numbers: range, first: int | None = None, step: int = 1) -> str:
    """How each of the runs went. OFFSET 0 keeps PostgreSQL from working the same thing out again where it is used."""
    first = numbers.start if first is None else first
    share = _share("luck", 40)
    return f"""
SELECT n, made, own, luck, kind, choice, planned, {_moment("made")} AS born, {_moment("began")} AS start_time,
  CASE WHEN n >= 0 THEN {_moment(f"(began - 60000 * ln(1 - {_share('own', 40)}))")} END AS end_time
FROM (SELECT *, floor(5 * power(101::float8, {_share("chance", 0)}) - 5)::int AS choice,
    CASE WHEN kind = 'SCHEDULED' THEN {_moment(f"({sizes.end()} + 86400000 + 200000000 * {_share('chance', 20)})")}
      END AS planned,
    CASE WHEN kind = 'SCHEDULED' OR kind = 'CANCELLED' AND {_share("luck", 0)} < 0.3 THEN NULL
      WHEN n < 0 THEN made ELSE made + (5000 * {_share("chance", 40)})::bigint END AS began
  FROM (SELECT *, CASE WHEN n < -{RUNNING} THEN 'SCHEDULED' WHEN n < 0 THEN 'RUNNING'
      WHEN {share} < 0.9 THEN 'COMPLETED' WHEN {share} < 0.96 THEN 'FAILED' WHEN {share} < 0.97 THEN 'CRASHED'
      ELSE 'CANCELLED' END AS kind
    FROM (SELECT n, CASE WHEN n < 0 THEN {sizes.end()} + (n + 1) * 1000 ELSE {sizes.made("n")} END AS made,
        {sizes.hashed("n", 0)} AS own, {sizes.hashed("n", 1)} AS luck, {sizes.hashed("n", 2)} AS chance
      FROM generate_series({first}::bigint, {numbers.stop - 1}::bigint, {step}) n OFFSET 0) hashed OFFSET 0) kinds
  OFFSET 0) timed OFFSET 0"""


def noon_of(moment: datetime) -> datetime:
    """The last noon: where nobody says otherwise, what is made on one day is the same."""
    noon = moment.astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return noon if noon <= moment else noon - timedelta(days=1)
