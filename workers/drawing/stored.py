"""A run of the database, as it can be drawn: what `flow_run.graph` answers, and what the run is called."""

from datetime import datetime

from messages.answers import Graph
from messages.fields import Id
from messages.queries import ReadGraph
from store.catalog import FLOWS
from store.runs import FLOW_RUNS
from store.transaction import Connection
from workers.drawing.title import Title
from workers.queries.asked import Asked, Limits
from workers.queries.graph import read_graph


def read(connection: Connection, flow_run_id: Id, limits: Limits, now: datetime) -> tuple[Graph, Title]:
    """The graph and its title.

    Raises:
        Refused: `not_found`, `graph_too_large`; `invalid_message` for a run without even an expected start.
    """
    graph = read_graph(Asked(connection, ReadGraph(flow_run_id=flow_run_id), limits, now)).graph
    run = FLOW_RUNS.read(connection, [flow_run_id])[flow_run_id]
    flow = next(iter(FLOWS.load(connection, [run.flow_id])), None)
    title = Title(
        run_id=str(run.id),
        run_name=run.name,
        flow_name=flow.name if flow else "",
        state_type=run.state_type,
        state_name=run.state_name or "",
    )
    return graph, title
