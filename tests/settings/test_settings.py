from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from workers.settings import (
    PREFIX,
    READY_FD,
    Settings,
    SettingsError,
    environment_for_child,
    unknown_variables,
)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in environment_for_child({}):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def faults_of(monkeypatch: pytest.MonkeyPatch, **variables: str) -> tuple[str, ...]:
    for name, value in variables.items():
        monkeypatch.setenv(f"INTERLOCK_{name}", value)
    with pytest.raises(SettingsError) as caught:
        Settings.from_env()
    return caught.value.faults


def test_without_any_variable_the_defaults_hold() -> None:
    assert Settings.from_env() == Settings()
    assert Settings().namespace == "interlock"
    assert Settings().command_retention == timedelta(days=14)


def test_the_defaults_are_valid_themselves() -> None:
    given = {row.name.removeprefix(PREFIX).lower(): row.default for row in Settings.table() if row.default}
    assert Settings.model_validate(given) == Settings()


def test_all_faults_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(
        monkeypatch, BATCH_SIZE="many", LOCK_TIMEOUT="-3", NAMESPACE="a b", DATABASE_URL="mysql://host/name"
    )
    assert [fault.split(":")[0] for fault in faults] == [
        "INTERLOCK_DATABASE_URL",
        "INTERLOCK_NAMESPACE",
        "INTERLOCK_BATCH_SIZE",
        "INTERLOCK_LOCK_TIMEOUT",
    ]


def test_the_message_has_a_line_per_fault_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_BATCH_SIZE", "0")
    monkeypatch.setenv("INTERLOCK_LOG_FORMAT", "xml")
    with pytest.raises(SettingsError) as caught:
        Settings.from_env()
    assert str(caught.value).splitlines() == [
        "These settings need correcting, in the environment or in .env:",
        "  INTERLOCK_BATCH_SIZE: input should be greater than or equal to 1, not '0' (for example 200)",
        "  INTERLOCK_LOG_FORMAT: input should be 'text' or 'json', not 'xml' (for example text)",
    ]


def test_dotenv_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("INTERLOCK_NAMESPACE=from-file\nINTERLOCK_BATCH_SIZE=7\nOTHER=1\n")
    monkeypatch.setenv("INTERLOCK_BATCH_SIZE", "9")
    settings = Settings.from_env()
    assert (settings.namespace, settings.batch_size) == ("from-file", 9)


def test_an_override_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_WORKER_THREADS", "3")
    assert Settings.from_env(worker_threads=5).worker_threads == 5


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_READ_DATABASE_URL", "")
    assert Settings.from_env().read_database_url is None


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/name",
        "postgresql+psycopg://host/name",
        "postgresql://host",
        "postgresql://h:port/n",
        "x",
    ],
)
def test_a_database_url_that_cannot_work_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    (fault,) = faults_of(monkeypatch, DATABASE_URL=url)
    assert "for example postgresql://" in fault


@pytest.mark.parametrize("url", ["http://host", "redis://", "unix://", "host:6379"])
def test_a_redis_url_that_cannot_work_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    (fault,) = faults_of(monkeypatch, REDIS_URL=url)
    assert "for example redis://" in fault


@pytest.mark.parametrize("url", ["redis://host", "rediss://u:p@host:6380/1", "unix:///run/redis.sock?db=1"])
def test_every_kind_of_redis_url_is_accepted(url: str) -> None:
    assert Settings(redis_url=url).redis_url == url


def test_a_password_shows_neither_in_a_fault_nor_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hidden" not in repr(Settings(database_url="postgresql://u:hidden@host/name"))
    (fault,) = faults_of(monkeypatch, DATABASE_URL="mysql://u:hidden@host/name")
    assert "hidden" not in fault


def test_sqlalchemy_gets_the_name_of_the_driver() -> None:
    settings = Settings(database_url="postgresql://u:p@host/name")
    assert settings.sqlalchemy_url == "postgresql+psycopg://u:p@host/name"
    assert settings.sqlalchemy_read_url == settings.sqlalchemy_url
    replica = Settings(read_database_url="postgres://replica/name")
    assert replica.sqlalchemy_read_url == "postgresql+psycopg://replica/name"


@pytest.mark.parametrize("name", ["interlock", "a.b_c-1", "{interlock}", "cell-{eu}-1"])
def test_a_namespace_may_be_a_hash_tag(name: str) -> None:
    assert Settings(namespace=name).namespace == name


@pytest.mark.parametrize("name", ["", "a b", "a:b", "{}", "{a", "{a}{b}", "a\n"])
def test_a_namespace_that_would_mix_up_keys_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Settings(namespace=name)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("14d", 1_209_600), ("12h", 43_200), ("5m", 300), ("90s", 90), ("250ms", 0.25), ("1.5", 1.5)],
)
def test_durations_are_seconds_or_have_a_unit(
    monkeypatch: pytest.MonkeyPatch, text: str, seconds: float
) -> None:
    monkeypatch.setenv("INTERLOCK_LATE_AFTER", text)
    assert Settings.from_env().late_after == timedelta(seconds=seconds)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().batch_size = 3  # type: ignore[misc]


def test_urls_with_secrets_stay_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_NOTIFY_URLS", "mailto://user:c2VjcmV0@example.org")
    settings = Settings.from_env()
    assert settings.notify_urls.get_secret_value().startswith("mailto://user:c2VjcmV0")
    assert "c2VjcmV0" not in repr(settings)
    (row,) = (row for row in Settings.table() if row.name == "INTERLOCK_NOTIFY_URLS")
    assert row.default == ""


def test_the_table_describes_every_setting() -> None:
    assert all(row.name.startswith(PREFIX) and row.description for row in Settings.table())
    assert len(Settings.table()) == len(Settings.model_fields)


def test_misspelt_variables_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_BATCHSIZE", "3")
    monkeypatch.setenv("INTERLOCK_BATCH_SIZE", "3")
    monkeypatch.setenv("INTERLOCK_TEST_REDIS_URL", "redis://host")
    assert unknown_variables() == ("INTERLOCK_BATCHSIZE",)


def test_a_child_does_not_inherit_the_pipe_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(READY_FD, "7")
    assert environment_for_child({"A": "b"})["A"] == "b"
    assert READY_FD not in environment_for_child({})
