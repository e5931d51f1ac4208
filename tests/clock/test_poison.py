from typing import Any

import pytest

from tests.clock.scene import NOW, Scene, ago
from workers.clock.duty import Means
from workers.clock.late_runs import mark_late_runs
from workers.handlers.transitions import set_flow_run_state


def test_a_run_that_cannot_be_changed_keeps_no_other_waiting(
    scene: Scene, means: Means, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runs = [scene.scheduled(ago(minutes=1)) for _ in range(3)]

    def hesitant(world: Any, run: Any, *rest: Any) -> Any:
        if run.id == runs[1]:
            set_flow_run_state(world, run, *rest)
            raise ValueError("a fault")
        return set_flow_run_state(world, run, *rest)

    monkeypatch.setattr("workers.clock.late_runs.set_flow_run_state", hesitant)
    assert mark_late_runs(means, NOW) == 2
    assert [scene.read(run).state_name for run in runs] == ["Late", "Scheduled", "Late"]
    assert "left as it is" in caplog.text
