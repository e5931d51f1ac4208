"""Flow runs with many task runs, put straight into a database, for graphs to be read of them."""

from uuid import UUID

import psycopg

from benchmarks.workload import FLOWS
from messages.ids import uuid7

_PREFIX = 24
_FLOW_RUN = """
INSERT INTO flow_run (id, created, updated, name, flow_id, state_type, state_name, start_time, end_time)
SELECT %(id)s, now(), now(), 'graph', id, 'COMPLETED', 'Completed', now(), now() FROM flow WHERE name = %(flow)s
"""
# Each takes in the results of two that were before it.
_TASK_RUNS = """
INSERT INTO task_run (id, created, updated, name, flow_run_id, task_key, dynamic_key, state_type, state_name,
  start_time, end_time, task_inputs)
SELECT (%(prefix)s || lpad(to_hex(n), 12, '0'))::uuid, now(), now(), 'load-' || n, %(id)s, 'load', n::text,
  'COMPLETED', 'Completed', now() + n * interval '1 s', now() + (n + 2) * interval '1 s',
  jsonb_build_object('x', (SELECT coalesce(jsonb_agg(jsonb_build_object(
    'input_type', 'task_run', 'id', %(prefix)s || lpad(to_hex(before), 12, '0'))), '[]')
    FROM unnest(ARRAY[n / 2, n - 1]) before WHERE before > 0))
FROM generate_series(1, %(size)s) n
"""


def with_task_runs(url: str, size: int) -> UUID:
    """Makes a flow run with so many task runs; answers its id. The benchmark's flows must be there."""
    flow_run_id = uuid7()
    values = {"id": flow_run_id, "flow": FLOWS[0], "size": size, "prefix": str(uuid7())[:_PREFIX]}
    with psycopg.connect(url) as connection:
        connection.execute(_FLOW_RUN, values)
        connection.execute(_TASK_RUNS, values)
    return flow_run_id
