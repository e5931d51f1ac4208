"""The query that finds slots that should not be taken: it must find them where there are some."""

from messages.ids import uuid7
from store import driver
from store.limits import AT_REST, TOO_MANY, Drift, drift
from store.transaction import Engine, transaction
from tests.properties.commands import NOW, SETTING
from tests.properties.space import Space

_PUT = """
INSERT INTO concurrency_slot (id, limit_id, holder_kind, flow_run_id, task_run_id, slots, acquired_at)
SELECT %(id)s, id, %(kind)s, %(flow_run)s, %(task_run)s, %(slots)s, %(now)s
FROM concurrency_limit WHERE name = %(name)s
"""


def put(
    space: Space, name: str, slots: int, *, flow_run: str | None = None, task_run: str | None = None
) -> None:
    """A slot that no rule gave out."""
    holder = {
        "kind": "flow_run" if flow_run else "task_run",
        "flow_run": space.id_of(flow_run) if flow_run else None,
        "task_run": space.id_of(task_run) if task_run else None,
    }
    given = {"id": uuid7(), "name": name.replace("<ns>", space.ns), "slots": slots, "now": NOW, **holder}
    with transaction(space.engine) as connection:
        driver.execute(connection, _PUT, given)


def found(space: Space) -> list[Drift]:
    with transaction(space.engine) as connection:
        return [each for each in drift(connection, space.time) if space.ns in each.limit_name]


def a_space(engine: Engine) -> Space:
    space = Space(engine)
    space.apply(SETTING)
    return space


def test_where_all_is_in_order_nothing_is_found(engine: Engine) -> None:
    assert found(a_space(engine)) == []


def test_a_slot_of_a_run_at_rest_is_found_with_its_holder(engine: Engine) -> None:
    space = a_space(engine)
    put(space, "tag:<ns>a", 1, task_run="task run 0")
    (one,) = found(space)
    assert (one.fault, one.holder_kind, one.holder_id) == (AT_REST, "task_run", space.id_of("task run 0"))


def test_a_slot_of_a_flow_run_under_way_is_in_order_but_not_more_than_there_are(engine: Engine) -> None:
    space = a_space(engine)
    put(space, "<ns>global", 2, flow_run="flow run 0")
    assert found(space) == []
    put(space, "<ns>global", 1, flow_run="flow run 1")
    # Flow run 1 is scheduled: it should hold nothing.
    assert [(each.fault, each.slots) for each in found(space)] == [(AT_REST, 1), (TOO_MANY, 3)]


def test_a_lease_that_is_over_counts_no_more(engine: Engine) -> None:
    space = a_space(engine)
    space.apply([("concurrency_limit.acquire", {"names": ["<ns>global"], "slots": 2, "lease_seconds": 1})])
    space.time = NOW.replace(hour=13)
    space.apply([("concurrency_limit.acquire", {"names": ["<ns>global"], "slots": 2})])
    assert found(space) == []
