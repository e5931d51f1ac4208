"""Orders, pages, cursors, columns."""

from typing import Any
from uuid import UUID

import pytest

from messages.states import StateType
from tests.reads.builders import NOON, World, at


def numbered(number: int) -> UUID:
    return UUID(int=number << 120 | 0x4 << 76 | 0x2 << 62)


def timed(world: World) -> None:
    """Runs whose times have no order in common; `d` and `e` have none."""
    starts = {"a": (None, 30), "b": (20, 5), "c": (10, 40), "d": (None, None), "e": (None, None)}
    for number, (name, (start, expected)) in enumerate(starts.items()):
        world.flow_run(
            id=numbered(number + 1),
            name=name,
            start_time=start and at(start),
            expected_start_time=expected and at(expected),
            next_scheduled_start_time=expected and at(-expected),
            end_time=start and at(100 - start),
        )


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("ID_DESC", "edcba"),
        ("START_TIME_ASC", "cbade"),
        ("START_TIME_DESC", "edabc"),
        ("EXPECTED_START_TIME_ASC", "bacde"),
        ("EXPECTED_START_TIME_DESC", "edcab"),
        ("NEXT_SCHEDULED_START_TIME_ASC", "cabde"),
        ("END_TIME_DESC", "edacb"),
        ("NAME_ASC", "abcde"),
        ("NAME_DESC", "edcba"),
    ],
)
@pytest.mark.parametrize("by", ["whole", "offset", "cursor"])
def test_every_order_ends_with_the_id_on_every_way_through_the_pages(
    world: World, sort: str, expected: str, by: str
) -> None:
    timed(world)
    pages: list[list[Any]] = []
    page: dict[str, Any] = {"sort": sort, "limit": 200 if by == "whole" else 2}
    while True:
        answer = world.ask("flow_run.list", **page)
        pages.append([run["name"] for run in answer["items"]])
        if answer["next"] is None:
            break
        page |= {"after": answer["next"]} if by == "cursor" else {"offset": sum(map(len, pages))}
    assert "".join(name for names in pages for name in names) == expected
    assert len(pages) == (1 if by == "whole" else 3)


def test_the_default_is_by_id_highest_first(world: World) -> None:
    for number in (2, 9, 5):
        world.task_run(None, id=numbered(number), name=str(number))
    names = [run["name"] for run in world.ask("task_run.list")["items"]]
    assert names == ["9", "5", "2"]


@pytest.mark.parametrize(
    "sort",
    [
        "ID_DESC",
        "EXPECTED_START_TIME_ASC",
        "EXPECTED_START_TIME_DESC",
        "NAME_ASC",
        "NAME_DESC",
        "NEXT_SCHEDULED_START_TIME_ASC",
        "END_TIME_DESC",
    ],
)
def test_task_runs_with_the_same_value_are_paged_without_gaps(world: World, sort: str) -> None:
    for number in range(7):
        world.task_run(
            None, name="same", task_key=str(number), expected_start_time=NOON if number % 2 else None
        )
    whole = [run["id"] for run in world.ask("task_run.list", sort=sort)["items"]]
    paged, after = [], None
    while True:
        answer = world.ask("task_run.list", sort=sort, limit=3, after=after)
        paged += [run["id"] for run in answer["items"]]
        after = answer["next"]
        if after is None:
            break
    assert paged == whole
    assert len(set(whole)) == 7


def test_a_cursor_neither_repeats_nor_skips_while_runs_are_added(world: World) -> None:
    for name in "bdfh":
        world.flow_run(name=name)
    first = world.ask("flow_run.list", sort="NAME_ASC", limit=2)
    for name in "aceg":
        world.flow_run(name=name)
    rest = world.ask("flow_run.list", sort="NAME_ASC", after=first["next"])
    assert [run["name"] for run in first["items"]] == ["b", "d"]
    assert [run["name"] for run in rest["items"]] == ["e", "f", "g", "h"]
    assert rest["next"] is None


def test_a_cursor_outlives_the_run_that_it_points_to(world: World) -> None:
    runs = [world.flow_run(name=name) for name in "abc"]
    first = world.ask("flow_run.list", sort="NAME_ASC", limit=1)
    world.connection.exec_driver_sql("DELETE FROM flow_run WHERE id = %(id)s", {"id": runs[0].id})
    assert world.names("flow_run.list", sort="NAME_ASC", after=first["next"]) == ["b", "c"]


def test_a_cursor_of_another_order_or_of_none_is_refused(world: World) -> None:
    for name in "ab":
        world.flow_run(name=name)
    cursor = world.ask("flow_run.list", sort="NAME_ASC", limit=1)["next"]
    for sort, after in (
        ("NAME_DESC", cursor),
        ("END_TIME_DESC", cursor),
        ("NAME_ASC", "no cursor"),
        ("NAME_ASC", "é"),
    ):
        result = world.ask("flow_run.list", sort=sort, after=after)
        assert result["status"] == "ERROR"
        assert result["error"]["code"] == "invalid_message"
        assert result["error"]["errors"][0]["loc"] == ["data", "after"]


def test_any_name_can_be_pointed_to(world: World) -> None:
    for name in ("ä" * 1000, "ö" * 1000, "🚂" * 500):
        world.flow_run(name=name)
    first = world.ask("flow_run.list", sort="NAME_ASC", limit=1)
    second = world.ask("flow_run.list", sort="NAME_ASC", limit=1, after=first["next"])
    third = world.ask("flow_run.list", sort="NAME_ASC", limit=1, after=second["next"])
    names = [page["items"][0]["name"][0] for page in (first, second, third)]
    assert sorted(names) == ["ä", "ö", "🚂"]
    assert third["next"] is None


def test_limit_0_gives_no_items(world: World) -> None:
    world.flow_run()
    answer = world.ask("flow_run.list", limit=0)
    assert (answer["items"], answer["next"]) == ([], None)


def test_a_full_last_page_has_no_next(world: World) -> None:
    for _ in range(2):
        world.flow_run()
    assert world.ask("flow_run.list", limit=2)["next"] is None
    assert world.ask("flow_run.list", limit=1)["next"] is not None


def test_an_offset_beyond_the_end_gives_no_items(world: World) -> None:
    world.flow_run()
    assert world.ask("flow_run.list", offset=5) == world.ask("flow_run.list", limit=0)


def test_items_are_whole_runs_with_their_states(world: World) -> None:
    run = world.flow_run(StateType.RUNNING, tags=["t"], parameters={"x": [1, None]})
    (item,) = world.ask("flow_run.list")["items"]
    assert item == world.ask("flow_run.read", id=run.id)["flow_run"]
    assert item["state"]["type"] == "RUNNING"
    assert item["parameters"] == {"x": [1, None]}


def test_columns_leave_out_all_else_but_the_id(world: World) -> None:
    run = world.flow_run(StateType.RUNNING, name="a")
    (item,) = world.ask("flow_run.list", columns=["name", "state_type"])["items"]
    assert item == {"id": str(run.id), "name": "a", "state_type": "RUNNING"}
    (with_state,) = world.ask("flow_run.list", columns=["state"])["items"]
    assert with_state["state"]["name"] == "Running"
    assert world.ask("flow_run.list", columns=[])["items"] == [{"id": str(run.id)}]


def test_counts_know_no_pages(world: World) -> None:
    for number in range(3):
        world.flow_run(tags=["odd"] if number % 2 else [])
    assert world.ask("flow_run.count")["count"] == 3
    assert world.ask("flow_run.count", flow_runs={"tags": {"all_": ["odd"]}})["count"] == 1
    assert world.ask("task_run.count")["count"] == 0
