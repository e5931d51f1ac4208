"""docker-compose.yml: valid by the Compose specification, and the whole system."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from workers.settings import Settings

ROLES = ("worker", "relay", "clock")
SERVERS = ("postgres", "redis")
Compose = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> Compose:
    return dict(yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text()))


def test_it_is_valid_by_the_compose_specification(project: Path) -> None:
    checked = subprocess.run(
        [
            sys.executable,
            *("-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"),
            project / "docker-compose.yml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout


def test_every_role_and_both_servers_are_services(compose: Compose) -> None:
    assert set(compose["services"]) == {*ROLES, *SERVERS, "migrate"}
    assert [compose["services"][role]["command"] for role in ROLES] == [[role] for role in ROLES]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_starts_after_the_migration_and_can_be_scaled(compose: Compose, role: str) -> None:
    service = compose["services"][role]

    assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert service["depends_on"]["redis"] == {"condition": "service_healthy"}
    assert not {"container_name", "ports", "volumes"} & set(service)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_restarted_and_has_time_to_finish(compose: Compose, role: str) -> None:
    service = compose["services"][role]

    assert service["restart"] == "unless-stopped"
    assert float(service["stop_grace_period"].removesuffix("s")) > Settings().shutdown_timeout.total_seconds()


def test_the_migration_runs_once_and_waits_for_the_database(compose: Compose) -> None:
    migrate = compose["services"]["migrate"]

    assert (migrate["command"], migrate["restart"]) == (["migrate"], "no")
    assert migrate["depends_on"] == {"postgres": {"condition": "service_healthy"}}


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_says_when_it_is_healthy_and_keeps_its_data(compose: Compose, server: str) -> None:
    service = compose["services"][server]

    assert service["healthcheck"]["test"]
    volumes = [volume.partition(":")[0] for volume in service["volumes"]]
    assert set(volumes) <= set(compose["volumes"])
    assert volumes


def test_redis_keeps_commands_on_the_disk_and_never_evicts_them(compose: Compose) -> None:
    command = " ".join(compose["services"]["redis"]["command"])

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_images_have_versions(compose: Compose, project: Path) -> None:
    images = {service["image"] for service in compose["services"].values()}

    assert all(":" in image and not image.endswith(":latest") for image in images)
    version = tomllib.loads((project / "pyproject.toml").read_text())["project"]["version"]
    assert f"interlock:{version}" in images


def test_the_environment_holds_only_settings_that_exist(compose: Compose) -> None:
    known = {row.name for row in Settings.table()}

    for role in (*ROLES, "migrate"):
        assert set(compose["services"][role]["environment"]) <= known
