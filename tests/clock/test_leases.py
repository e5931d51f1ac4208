import pytest

from tests.clock.scene import NOW, Scene, ago
from workers.clock import leases
from workers.clock.duty import Means
from workers.clock.leases import free_expired_leases


def lease(scene: Scene, name: str, seconds: float | None, slots: int = 1) -> str:
    data = {"names": [name], "slots": slots, **({} if seconds is None else {"lease_seconds": seconds})}
    answer = scene.do("concurrency_limit.acquire", data, ago(seconds=60))
    assert answer["status"] == "OK", answer
    ident: str = answer["lease"]["lease_id"]
    return ident


@pytest.fixture(autouse=True)
def limit(scene: Scene) -> None:
    scene.do("concurrency_limit.upsert", {"name": "database", "limit": 10}, ago(hours=1))


def test_a_lease_that_is_over_is_freed_and_no_other(scene: Scene, means: Means) -> None:
    over = lease(scene, "database", 60)
    running = lease(scene, "database", 60.5)
    endless = lease(scene, "database", None)
    assert free_expired_leases(means, NOW) == 1
    left = {str(row[0]) for row in scene.rows("SELECT lease_id FROM concurrency_slot")}
    assert over not in left
    assert left == {running, endless}


def test_slots_of_a_freed_lease_can_be_taken(scene: Scene, means: Means) -> None:
    lease(scene, "database", 30, slots=10)
    free_expired_leases(means, NOW)
    taken = scene.do("concurrency_limit.acquire", {"names": ["database"], "slots": 10})
    assert taken["status"] == "OK"


def test_more_leases_than_fit_a_batch_are_all_freed(
    scene: Scene, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "AT_ONCE", 2)
    for _ in range(5):
        lease(scene, "database", 1)
    assert free_expired_leases(means, NOW) == 5


def test_a_lease_that_somebody_works_on_is_left_for_the_next_round(scene: Scene, means: Means) -> None:
    lease(scene, "database", 1)
    with means.engine.begin() as other:
        other.exec_driver_sql("SELECT id FROM concurrency_slot FOR UPDATE")
        assert free_expired_leases(means, NOW) == 0
    assert free_expired_leases(means, NOW) == 1
