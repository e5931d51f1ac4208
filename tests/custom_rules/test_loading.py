"""Which installed policies a worker takes, and what it says of those that it cannot use."""

import logging
from pathlib import Path

import pytest

from tests.custom_rules.packages import EXAMPLE, install, install_module
from workers.orchestration.policies import CORE_FLOW
from workers.policies.api import PolicyError, with_rules
from workers.policies.known import BUILT_IN
from workers.policies.loading import FLOW_GROUP, TASK_GROUP, load_policies
from workers.processes import worker
from workers.settings import Settings

GOOD = """
from workers.policies.api import *

@rule(EVERY_TYPE, EVERY_TYPE)
def passes(t, proposed):
    return None

GOOD = with_rules(CORE_FLOW, passes, name="acme.good")
TASKS = with_rules(CORE_TASK, passes, name="acme.good")
CORE = with_rules(CORE_FLOW, passes, name="core")
BARE = Policy("acme.bare", (passes,))
NOT_RULES = Policy("acme.functions", (len,))
NUMBER = 7
"""


def complaint() -> str:
    with pytest.raises(PolicyError) as caught:
        load_policies()
    return str(caught.value)


def test_without_any_package_there_are_the_policies_of_the_system() -> None:
    assert load_policies() == BUILT_IN


def test_the_policies_of_a_package_are_found_by_the_names_of_their_entry_points(site: Path) -> None:
    install(EXAMPLE, site)
    policies = load_policies()
    assert set(policies.flow) == {*BUILT_IN.flow, "example.frozen"}
    assert set(policies.task) == {*BUILT_IN.task, "example.frozen"}
    assert len(policies.flow["example.frozen"].entries) == len(CORE_FLOW.entries) + 2


@pytest.mark.parametrize(
    ("point", "group", "said"),
    [
        (("acme.good", "nowhere:GOOD"), FLOW_GROUP, "No module named 'nowhere'"),
        (("acme.good", "acme_rules:BETTER"), FLOW_GROUP, "no attribute 'BETTER'"),
        (("acme.good", "acme_rules:NUMBER"), FLOW_GROUP, "of type int, not a Policy"),
        (("acme.functions", "acme_rules:NOT_RULES"), FLOW_GROUP, "not all made with @rule"),
        (("acme.other", "acme_rules:GOOD"), FLOW_GROUP, "calls itself 'acme.good'"),
        (("core", "acme_rules:CORE"), FLOW_GROUP, "that is taken"),
        (("acme.bare", "acme_rules:BARE"), FLOW_GROUP, "never give slots back"),
        (("acme.good", "acme_rules:TASKS"), FLOW_GROUP, "of the same group"),
        (("acme.good", "acme_rules:GOOD"), TASK_GROUP, "of the same group"),
    ],
)
def test_a_broken_entry_point_is_named_with_its_package(
    site: Path, point: tuple[str, str], group: str, said: str
) -> None:
    install_module(site, "acme-rules", GOOD, {group: dict([point])})
    text = complaint()
    assert f"package acme-rules 1.0, entry point {point[0]} = {point[1]} of {group}" in text
    assert said in text


def test_a_module_that_fails_when_imported_is_one_clear_error(site: Path) -> None:
    install_module(site, "acme-rules", "1 / 0", {FLOW_GROUP: {"acme.good": "acme_rules:GOOD"}})
    assert "acme-rules" in complaint()
    assert "ZeroDivisionError: division by zero" in complaint()


def test_every_broken_policy_is_named_at_once(site: Path) -> None:
    points = {"acme.one": "nowhere:ONE", "acme.two": "nowhere:TWO"}
    install_module(site, "acme-rules", GOOD, {FLOW_GROUP: points})
    assert complaint().count("package acme-rules") == 2


def test_two_packages_with_one_name_are_refused(site: Path) -> None:
    for package in ("acme-rules", "acme-others"):
        module = package.replace("-", "_")
        install_module(site, package, GOOD, {FLOW_GROUP: {"acme.good": f"{module}:GOOD"}})
    assert "'acme.good' is installed twice" in complaint()


def test_a_worker_does_not_start_with_a_broken_policy(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    install_module(site, "acme-rules", "1 / 0", {FLOW_GROUP: {"acme.good": "acme_rules:GOOD"}})
    nowhere = Settings(database_url="postgresql://127.0.0.1:1/none", redis_url="redis://127.0.0.1:1/0")
    with caplog.at_level(logging.ERROR):
        assert worker.run(nowhere) == 1
    assert "acme-rules" in caplog.text


def test_a_rule_can_be_put_first_or_next_to_another() -> None:
    from workers.policies.api import EVERY_TYPE, Rule, rule

    @rule(EVERY_TYPE, EVERY_TYPE)
    def mine(_t: object, _proposed: object) -> None: ...

    def place(before: str | None = None, after: str | None = None) -> int:
        return with_rules(CORE_FLOW, mine, name="x", before=before, after=after).entries.index(mine)

    names = [entry.name for entry in CORE_FLOW.entries if isinstance(entry, Rule)]
    assert place() == 0
    assert place(before=names[3]) == 3
    assert place(after=names[3]) == 4
    with pytest.raises(PolicyError, match=f"no rule unknown; it has {names[0]}"):
        place(before="unknown")
    with pytest.raises(PolicyError, match="not in both"):
        place(before=names[0], after=names[0])
