import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2 as httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from messages.client import Client, Pending
from tests.cli.conftest import NOWHERE
from tests.crashes.processes import Fleet
from tests.figures.examples import BUSY
from workers.figures.tally import BatchTimes, Counts, Tally
from workers.health import metrics, probes
from workers.health.pulse import Pulse
from workers.health.server import AddressTaken, healthy
from workers.now import monotonic
from workers.settings import Settings, SettingsError, health_of_child

PATIENCE_S = 60.0


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def serving(settings: Settings, pulse: Pulse | None = None) -> Iterator[Callable[[str], httpx.Response]]:
    address = free_address()
    with healthy(
        settings.model_copy(update={"health_address": address}), "worker", pulse or Pulse(), Tally()
    ):
        yield lambda path: httpx.get(f"http://{address}{path}", timeout=PATIENCE_S)


def values(text: str) -> dict[str, float]:
    return {
        sample.name + "".join(f"|{value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_process_over_good_servers_is_alive_and_ready(settings: Settings) -> None:
    with serving(settings) as get:
        assert (get("/live").status_code, get("/ready").status_code) == (200, 200)
        assert get("/else").status_code == 404
        assert values(get("/metrics").text)["interlock_replayed_total"] == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"database_url": f"postgresql://{NOWHERE}/interlock"}, "PostgreSQL: "),
        ({"redis_url": f"redis://{NOWHERE}/0"}, "Redis: "),
    ],
)
def test_trouble_of_a_server_makes_it_not_ready_but_leaves_it_alive(
    settings: Settings, changed: dict[str, str], told: str
) -> None:
    with serving(settings.model_copy(update=changed)) as get:
        ready = get("/ready")
        assert (ready.status_code, told in ready.text) == (503, True)
        assert get("/live").status_code == 200


def test_a_wrong_schema_makes_it_not_ready(settings: Settings, empty_database_url: str) -> None:
    with serving(settings.model_copy(update={"database_url": empty_database_url})) as get:
        assert get("/ready").status_code == 503


def test_a_loop_that_hangs_is_told_of(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    pulse = Pulse()
    monkeypatch.setattr(pulse, "_last", monotonic() - probes.HANGS_AFTER_S - 1)
    with serving(settings, pulse) as get:
        assert (get("/live").status_code, get("/ready").status_code) == (503, 503)
        pulse.beat()
        assert (get("/live").status_code, get("/ready").status_code) == (200, 200)


def test_an_address_that_is_taken_is_said(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        named = settings.model_copy(update={"health_address": address})
        with pytest.raises(AddressTaken, match="an address of its own"), healthy(named, "relay", Pulse()):
            pass


@pytest.mark.parametrize("role", ["worker", "relay", "clock"])
def test_each_process_serves_its_health(settings: Settings, role: str) -> None:
    address = free_address()
    with Fleet(settings.model_copy(update={"health_address": address})) as fleet:
        (process,) = fleet.start(role)
        _until(lambda: httpx.get(f"http://{address}/ready", timeout=PATIENCE_S).status_code == 200)
        text = httpx.get(f"http://{address}/metrics", timeout=PATIENCE_S).text
        assert f'role="{role}"' in text
        assert ("interlock_outbox_waiting " in text) == (role == "clock")
        assert process.stop() == 0


def test_a_worker_counts_the_commands_that_it_answered(settings: Settings) -> None:
    address = free_address()
    with Fleet(settings.model_copy(update={"health_address": address})) as fleet:
        fleet.start("worker")
        with Client(settings.redis_url, "test", namespace=settings.namespace) as client:
            run = client.create_flow_run(flow_name="etl", idempotency_key="1")
            run.set_state(Pending()).result(timeout=PATIENCE_S)

        def told() -> dict[str, float]:
            return values(httpx.get(f"http://{address}/metrics", timeout=PATIENCE_S).text)

        _until(lambda: told().get("interlock_commands_total|ACCEPT|flow_run.set_state") == 1)
        found = told()
        assert found["interlock_command_seconds_count|total"] == found["interlock_batch_size_sum"]
        assert found["interlock_command_seconds_sum|apply"] > 0


def test_counts_become_metrics_with_the_names_of_the_documents() -> None:
    tally = Tally()
    times = BatchTimes(began=10.0, applied=10.25, published=10.5, enqueued=(9.0, 9.5))
    tally.batch(Counter({("flow_run.create", "OK"): 2}), 1, times)
    tally.retried("40P01")
    found = values(_text(metrics.OfProcess(tally.snapshot)))
    assert found["interlock_commands_total|OK|flow_run.create"] == 2
    assert found["interlock_replayed_total"] == 1
    assert found["interlock_transaction_retries_total|40P01"] == 1
    assert found["interlock_batch_size_count"] == 1
    assert found["interlock_batch_size_sum"] == 3
    assert found["interlock_command_seconds_count|total"] == 2
    assert found["interlock_command_seconds_sum|total"] == pytest.approx(2.5)
    assert found["interlock_command_seconds_sum|wait"] == pytest.approx(1.5)


def test_the_installation_becomes_metrics() -> None:
    found = values(_text(metrics.OfInstallation(lambda: BUSY)))
    assert found["interlock_queue_depth|ready|commands"] == 12_345
    assert found["interlock_queue_oldest_seconds|commands"] == 2.5
    assert found["interlock_outbox_waiting"] == 3
    assert found["interlock_parked_commands"] == 2
    assert found["interlock_deferred_commands"] == 7
    assert found["interlock_failing_commands"] == 1
    assert found["interlock_outbox_waiting_oldest_seconds"] == pytest.approx(0.5, abs=0.01)
    assert found["interlock_slots_held|limit-0"] == found["interlock_slots_limit|limit-0"] == 10
    assert found["interlock_clock_skew_seconds|redis"] == 0.002
    assert found["interlock_server_up|postgresql"] == 1


def test_every_metric_is_in_the_documents() -> None:
    from tests.docs.documents import PROJECT

    text = (PROJECT / "docs" / "operations.md").read_text()
    whole = _text(metrics.OfProcess(Counts), metrics.OfInstallation(lambda: BUSY))
    for name in re.findall(r"^# TYPE (\S+)", whole, flags=re.MULTILINE):
        assert f"`{name}" in text, name


def test_further_processes_take_further_ports(settings: Settings) -> None:
    named = settings.model_copy(update={"health_address": "[::1]:9464"})
    assert health_of_child(named, 2) == {"INTERLOCK_HEALTH_ADDRESS": "[::1]:9466"}
    assert health_of_child(settings, 2) == {}


@pytest.mark.parametrize("address", ["9464", "host:", ":1", "host:0", "host:70000", "host:x"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="HOST:PORT"):
        Settings.from_env(health_address=address)


def _text(*collectors: object) -> str:
    from prometheus_client import generate_latest

    return generate_latest(metrics.registry("clock", *collectors)).decode()  # type: ignore[arg-type]


def _until(holds: Callable[[], bool]) -> None:
    give_up_at = monotonic() + PATIENCE_S
    while True:
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        assert monotonic() < give_up_at
        time.sleep(0.05)
