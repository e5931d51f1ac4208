"""deploy/kubernetes: one Deployment a role, the migration as a Job, and an example of the Secret they read."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from workers.settings import Settings

ROLES = ("worker", "relay", "clock")
FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"


def manifest(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


def pod_of(name: str) -> Any:
    return manifest(name)["spec"]["template"]


def test_there_is_a_manifest_for_everything() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*ROLES, "migrate", "secret.example"}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_a_deployment_that_finds_its_pods(role: str) -> None:
    deployment = manifest(role)

    assert (deployment["apiVersion"], deployment["kind"]) == ("apps/v1", "Deployment")
    assert deployment["metadata"]["name"] == f"interlock-{role}"
    labels = pod_of(role)["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert pod_of(role)["spec"]["containers"][0]["args"] == [role]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_time_to_finish(role: str) -> None:
    grace = pod_of(role)["spec"]["terminationGracePeriodSeconds"]

    assert grace > Settings().shutdown_timeout.total_seconds()


def test_the_migration_is_a_job() -> None:
    job = manifest("migrate")

    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert pod_of("migrate")["spec"]["restartPolicy"] == "OnFailure"


@pytest.mark.parametrize("name", [*ROLES, "migrate"])
def test_containers_have_no_rights_that_they_do_not_need(name: str) -> None:
    pod = pod_of(name)["spec"]
    container = pod["containers"][0]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001, "the user of the Dockerfile"
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("name", [*ROLES, "migrate"])
def test_containers_run_this_version_with_the_secrets_settings(name: str) -> None:
    pyproject = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text())
    container = pod_of(name)["spec"]["containers"][0]

    assert container["image"] == f"interlock:{pyproject['project']['version']}"
    assert container["envFrom"] == [{"secretRef": {"name": manifest("secret.example")["metadata"]["name"]}}]


def test_the_secret_holds_settings_that_exist() -> None:
    assert set(manifest("secret.example")["stringData"]) <= {row.name for row in Settings.table()}
