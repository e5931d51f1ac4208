"""`client.flow_runs` and `client.task_runs`, on a worker with real servers."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis import Redis

from messages.answers import NodeKind
from messages.client import (
    AsyncClient,
    Client,
    ClientClosed,
    CommandFailed,
    Pending,
    Refused,
    Running,
    Unanswered,
)
from messages.client.result import Result
from messages.filters import FlowFilter, FlowRunFilter, NameMatches, Tagged
from messages.queries import FlowRunSort
from messages.runs import FlowRun, TaskRun
from messages.states import StateType
from tests.client.stand_in import StandIn, result_of
from tests.crashes.processes import Fleet
from tests.servers import Servers, fresh_database
from workers.settings import Settings

PATIENCE_S = 60.0


class Counting(Client):
    """A client that remembers what it has asked."""

    def __init__(self, url: str, namespace: str) -> None:
        super().__init__(url, "lists", namespace=namespace)
        self.asked: list[str] = []

    def request(
        self, message_type: str, data: Any = None, *, timeout: float = 30.0, **attributes: Any
    ) -> Result:
        self.asked.append(message_type)
        return super().request(message_type, data, timeout=timeout, **attributes)


class AsyncCounting(AsyncClient):
    """The same for asyncio."""

    def __init__(self, url: str, namespace: str) -> None:
        super().__init__(url, "lists", namespace=namespace)
        self.asked: list[str] = []

    async def request(
        self, message_type: str, data: Any = None, *, timeout: float = 30.0, **attributes: Any
    ) -> Result:
        self.asked.append(message_type)
        return await super().request(message_type, data, timeout=timeout, **attributes)


@pytest.fixture(scope="module")
def running(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The settings of a worker that runs as long as these tests do."""
    with fresh_database(servers, template_database) as url, Redis.from_url(servers.redis_url) as redis:
        settings = Settings(
            database_url=url,
            redis_url=servers.redis_url,
            namespace=f"test-{uuid4().hex[:12]}",
            home=tmp_path_factory.mktemp("lists"),
        )
        with Fleet(settings) as fleet:
            fleet.start("worker")
            yield settings
        if keys := list(redis.scan_iter(match=f"{settings.namespace}:*", count=1000)):
            redis.unlink(*keys)


@pytest.fixture
def interlock(running: Settings) -> Iterator[Counting]:
    """A client of that worker."""
    with Counting(running.redis_url, running.namespace) as client:
        yield client


@pytest.fixture
def flow() -> str:
    """The name of a flow of this test's own."""
    return f"flow-{uuid4().hex[:12]}"


def make(client: Client, flow: str, *names: str, **fields: Any) -> list[UUID]:
    """Flow runs with these names; their ids."""
    handles = [client.create_flow_run(flow_name=flow, name=name, **fields) for name in names]
    for handle in handles:
        handle.result(timeout=PATIENCE_S)
    return [handle.id for handle in handles]


def of(flow: str) -> dict[str, Any]:
    """The filter for a flow's runs."""
    return {"name": {"any_": [flow]}}


def test_a_list_goes_from_page_to_page(interlock: Counting, flow: str) -> None:
    names = [f"run-{number}" for number in range(7)]
    ids = make(interlock, flow, *names)

    runs = list(interlock.flow_runs.list(flows=of(flow), sort=FlowRunSort.NAME_ASC, page_size=3))

    assert [(run.id, run.name) for run in runs] == list(zip(ids, names, strict=True))
    assert all(type(run) is FlowRun for run in runs)
    assert runs[0].created.tzinfo is not None
    assert interlock.asked == ["flow_run.list"] * 3


def test_nothing_is_asked_before_an_item_is_wanted(interlock: Counting, flow: str) -> None:
    make(interlock, flow, "a", "b", "c", "d", "e")

    runs = interlock.flow_runs.list(flows=of(flow), sort="NAME_ASC", page_size=2)
    assert interlock.asked == []

    assert [next(runs).name, next(runs).name] == ["a", "b"]
    assert interlock.asked == ["flow_run.list"]
    assert next(runs).name == "c"
    assert interlock.asked == ["flow_run.list"] * 2


def test_a_limit_is_the_most_items_in_all(interlock: Counting, flow: str) -> None:
    make(interlock, flow, "a", "b", "c", "d", "e")

    def names(limit: int) -> list[str]:
        found = interlock.flow_runs.list(flows=of(flow), sort="NAME_DESC", page_size=2, limit=limit)
        return [run.name for run in found]

    assert names(3) == ["e", "d", "c"]
    assert interlock.asked == ["flow_run.list"] * 2
    assert names(2) == ["e", "d"]
    assert interlock.asked == ["flow_run.list"] * 3
    assert names(0) == []
    assert interlock.asked == ["flow_run.list"] * 3
    assert names(9) == ["e", "d", "c", "b", "a"]


def test_what_changes_between_pages_is_shown_once_and_the_rest_is_left_in_peace(
    interlock: Counting, flow: str
) -> None:
    ids = dict(zip("bcdef", make(interlock, flow, *"bcdef"), strict=True))

    runs = interlock.flow_runs.list(flows=of(flow), sort="NAME_ASC", page_size=2)
    seen = [next(runs).name, next(runs).name]
    # One that was seen goes, so does one to come; one comes before the place that was reached, one behind it.
    for name in "bd":
        interlock.flow_run(ids[name]).delete().result(timeout=PATIENCE_S)
    make(interlock, flow, "a", "g")

    assert seen + [run.name for run in runs] == ["b", "c", "e", "f", "g"]


def test_a_page_that_has_become_empty_does_not_end_the_list(client: Client, worker: StandIn) -> None:
    pages = {None: ([{"id": "1"}], "p2"), "p2": ([], "p3"), "p3": ([{"id": "2"}, {"id": "3"}], None)}

    def answer(query: dict[str, Any]) -> list[dict[str, Any]]:
        items, after = pages[query["data"].get("after")]
        return [result_of(query, items=items, next=after)]

    worker.answer = answer
    found = list(client.flow_runs.list(columns=["id"], page_size=2, limit=3))
    assert [item["id"] for item in found] == ["1", "2", "3"]
    assert [query["data"]["limit"] for query in worker.seen] == [2, 2, 2]


def test_filters_are_models_or_dicts(interlock: Counting, flow: str) -> None:
    plain, tagged = make(interlock, flow, "plain"), make(interlock, flow, "tagged", tags=["x", "y"])
    interlock.flow_run(plain[0]).set_state(Pending()).result(timeout=PATIENCE_S)
    flows = FlowFilter(name=NameMatches(any_=(flow,)))

    by_model = interlock.flow_runs.list(flows=flows, flow_runs=FlowRunFilter(tags=Tagged(all_=("x",))))
    by_dict = interlock.flow_runs.list(flows=of(flow), flow_runs={"state": {"type": {"any_": ["PENDING"]}}})
    mixed = interlock.flow_runs.list(flows=flows, flow_runs={"id": {"any_": plain}})

    assert [run.id for run in by_model] == tagged
    assert [(run.id, run.state_type) for run in by_dict] == [(plain[0], StateType.PENDING)]
    assert [run.id for run in mixed] == plain
    assert interlock.flow_runs.count(flows=flows) == 2
    assert interlock.flow_runs.count(flows=flows, flow_runs={"name": {"like_": "tag"}}) == 1
    assert interlock.flow_runs.count(flows=of("no such flow")) == 0


def test_with_columns_the_items_are_dicts_of_them(interlock: Counting, flow: str) -> None:
    ids = make(interlock, flow, "a", "b", "c", tags=["x"])

    found = list(
        interlock.flow_runs.list(columns=("name", "tags"), flows=of(flow), sort="NAME_ASC", page_size=2)
    )

    expected = [{"id": str(ids[number]), "name": name, "tags": ["x"]} for number, name in enumerate("abc")]
    assert found == expected


def test_runs_and_their_states_are_read(interlock: Counting, flow: str) -> None:
    (run_id,) = make(interlock, flow, "a", parameters={"day": 3})
    for state in (Pending(), Running()):
        interlock.flow_run(run_id).set_state(state).result(timeout=PATIENCE_S)

    run = interlock.flow_runs.read(run_id)
    assert run is not None
    assert run.state is not None
    assert (run.id, run.parameters, run.state.type, run.version) == (run_id, {"day": 3}, StateType.RUNNING, 3)
    states = interlock.flow_runs.states(str(run_id))
    assert [state.type for state in states] == [StateType.PENDING, StateType.RUNNING]
    assert states[-1] == run.state
    assert interlock.flow_runs.read(uuid4()) is None
    assert interlock.flow_runs.states(uuid4()) == []


def task_runs(client: Client, flow: str) -> tuple[UUID, UUID, UUID]:
    """A flow run with two task runs, the second of which took in the result of the first."""
    (run_id,) = make(client, flow, "parent", state={"type": "RUNNING"})
    given: dict[str, Any] = {"flow_run_id": run_id, "task_key": "t", "state": {"type": "RUNNING"}}
    first = client.create_task_run(**given, dynamic_key="0", name="first")
    first.result(timeout=PATIENCE_S)
    inputs = {"x": [{"input_type": "task_run", "id": str(first.id)}]}
    second = client.create_task_run(**given, dynamic_key="1", name="second", task_inputs=inputs)
    second.result(timeout=PATIENCE_S)
    return run_id, first.id, second.id


def test_task_runs_are_listed_counted_and_read(interlock: Counting, flow: str) -> None:
    run_id, first, second = task_runs(interlock, flow)
    mine = {"id": {"any_": [run_id]}}

    found = list(interlock.task_runs.list(flow_runs=mine, sort="NAME_ASC", page_size=1))
    assert [(type(run), run.id) for run in found] == [(TaskRun, first), (TaskRun, second)]
    names = interlock.task_runs.list(flow_runs=mine, columns=["name"], sort="NAME_ASC")
    assert [each["name"] for each in names] == ["first", "second"]
    assert interlock.task_runs.count(flow_runs=mine, task_runs={"name": {"any_": ["first"]}}) == 1
    assert interlock.task_runs.read(second) == found[1]
    assert [state.type for state in interlock.task_runs.states(first)] == [StateType.RUNNING]
    assert interlock.task_runs.read(uuid4()) is None


def test_graph_and_dependencies_are_read(interlock: Counting, flow: str) -> None:
    run_id, first, second = task_runs(interlock, flow)

    graph = interlock.flow_runs.graph(run_id)
    assert [(node.id, node.kind, node.parents) for node in graph.nodes] == [
        (first, NodeKind.TASK_RUN, []),
        (second, NodeKind.TASK_RUN, [first]),
    ]
    assert graph.root_node_ids == [first]
    later = datetime.now(UTC) + timedelta(days=1)
    assert [node.id for node in interlock.flow_runs.graph(run_id, since=later).nodes] == [first, second]
    taken = {each.id: each.upstream_dependencies for each in interlock.flow_runs.dependencies(run_id)}
    assert taken == {first: [], second: [first]}


def test_an_error_is_raised_as_of_other_calls(interlock: Counting) -> None:
    for look_up in (interlock.flow_runs.graph, interlock.flow_runs.dependencies):
        with pytest.raises(CommandFailed) as raised:
            look_up(uuid4())
        assert raised.value.code == "not_found"


def test_an_error_on_a_later_page_is_raised_there(client: Client, worker: StandIn) -> None:
    error = {"code": "internal", "message": "the query took too long", "errors": []}

    def answer(query: dict[str, Any]) -> list[dict[str, Any]]:
        if "after" in query["data"]:
            return [result_of(query, "ERROR", error=error)]
        return [result_of(query, items=[{"id": "1"}], next="p2")]

    worker.answer = answer
    runs = client.task_runs.list(columns=["id"])
    assert next(runs) == {"id": "1"}
    with pytest.raises(CommandFailed, match="took too long"):
        next(runs)


@pytest.mark.parametrize(
    "asked",
    [
        {"flow_runs": {"nmae": {"any_": ["x"]}}},
        {"flow_run": {}},
        {"offset": 3},
        {"sort": "SIZE_ASC"},
        {"columns": ["size"]},
        {"page_size": 0},
        {"page_size": 201},
        {"limit": -1},
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused_at_once(client: Client, worker: StandIn, asked: Any) -> None:
    with pytest.raises(Refused):
        client.flow_runs.list(**asked)
    assert worker.seen == []


def test_a_count_with_an_unknown_filter_is_refused_at_once(client: Client, worker: StandIn) -> None:
    with pytest.raises(Refused):
        client.task_runs.count(task_runs={"nmae": {}})
    assert worker.seen == []


def test_a_look_up_without_an_answer_ends_in_time(client: Client) -> None:
    with pytest.raises(Unanswered):
        next(client.flow_runs.list(timeout=0.1))
    with pytest.raises(Unanswered):
        client.flow_runs.count(timeout=0.1)


def test_a_closed_client_fetches_no_further_page(running: Settings, flow: str) -> None:
    with Counting(running.redis_url, running.namespace) as client:
        make(client, flow, "a", "b")
        runs = client.flow_runs.list(flows=of(flow), page_size=1, sort="NAME_ASC")
        assert next(runs).name == "a"
    with pytest.raises(ClientClosed):
        next(runs)


def test_what_a_newer_worker_tells_beside_does_not_hurt(client: Client, worker: StandIn) -> None:
    state = {
        "id": str(UUID(int=2)),
        "type": "PENDING",
        "name": "Pending",
        "timestamp": "2026-11-23T05:09:21Z",
        "state_details": {"of_tomorrow": 1},
        "of_tomorrow": 1,
    }
    worker.answer = lambda query: [result_of(query, items=[state])]
    assert [each.name for each in client.flow_runs.states(UUID(int=1))] == ["Pending"]


Story = Callable[[AsyncCounting], Coroutine[Any, Any, None]]


@pytest.fixture
def tell(running: Settings) -> Callable[[Story], None]:
    """Runs a coroutine function with a client for asyncio."""

    def run(story: Story) -> None:
        async def told() -> None:
            async with AsyncCounting(running.redis_url, running.namespace) as client:
                await asyncio.wait_for(story(client), PATIENCE_S)

        asyncio.run(told())

    return run


def test_with_asyncio_a_list_goes_from_page_to_page_and_stops_where_it_is_left(
    tell: Callable[[Story], None], interlock: Counting, flow: str
) -> None:
    make(interlock, flow, "a", "b", "c", "d", "e")

    async def story(client: AsyncCounting) -> None:
        asked = client.flow_runs.list(flows=of(flow), sort="NAME_ASC", page_size=2)
        assert [run.name async for run in asked] == ["a", "b", "c", "d", "e"]
        assert client.asked == ["flow_run.list"] * 3

        async for run in client.flow_runs.list(flows=of(flow), sort="NAME_ASC", page_size=2):
            if run.name == "b":
                break
        assert client.asked == ["flow_run.list"] * 4

        parts = client.flow_runs.list(flows=of(flow), columns=["name"], sort="NAME_DESC", limit=1)
        assert [part["name"] async for part in parts] == ["e"]

    tell(story)


def test_with_asyncio_everything_else_is_awaited(
    tell: Callable[[Story], None], interlock: Counting, flow: str
) -> None:
    run_id, first, second = task_runs(interlock, flow)

    async def story(client: AsyncCounting) -> None:
        assert await client.flow_runs.count(flows=of(flow)) == 1
        run = await client.flow_runs.read(run_id)
        assert run is not None
        assert run.state == (await client.flow_runs.states(run_id))[-1]
        mine = {"id": {"any_": [run_id]}}
        listed = [each async for each in client.task_runs.list(flow_runs=mine, sort="NAME_ASC")]
        assert [each.id for each in listed] == [first, second]
        assert await client.task_runs.read(first) == listed[0]
        assert await client.task_runs.count(flow_runs=mine) == 2
        assert len(await client.task_runs.states(second)) == 1
        assert (await client.flow_runs.graph(run_id)).root_node_ids == [first]
        assert {each.id for each in await client.flow_runs.dependencies(run_id)} == {first, second}
        with pytest.raises(CommandFailed, match="not_found"):
            await client.flow_runs.graph(uuid4())
        with pytest.raises(Refused):
            client.task_runs.list(page_size=0)

    tell(story)
