"""Settings of the guard that cannot be used are told when a process starts."""

from pathlib import Path

import pytest

from tests.security.keys import KEYS, SECRETS
from workers.processes.guarding import guard_of
from workers.settings import Settings, SettingsError


def faults_of(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(f"INTERLOCK_{name.upper()}", value)
    with pytest.raises(SettingsError) as caught:
        Settings.from_env()
    return str(caught.value)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"signing_keys": '{"a": "no base64!"}'}, "INTERLOCK_SIGNING_KEYS: the secret of 'a' should be"),
        ({"signing_rules": '{"a": {"sources": []}}'}, "INTERLOCK_SIGNING_RULES: the sources of 'a'"),
        (
            {"signing_keys": KEYS, "signing_rules": '{"c": {"sources": ["x"]}}'},
            "INTERLOCK_SIGNING_RULES: there is no key 'c'",
        ),
        (
            {"signing_keys": KEYS, "signature_max_age": "7d", "command_retention": "7d"},
            "INTERLOCK_SIGNATURE_MAX_AGE: should be less than INTERLOCK_COMMAND_RETENTION",
        ),
        ({"signing_keys_file": "/nowhere"}, "INTERLOCK_SIGNING_KEYS_FILE: /nowhere cannot be read"),
        ({"signing_keys_file": "/dev/null"}, "INTERLOCK_SIGNING_KEYS_FILE: /dev/null holds no key"),
        ({"signing_keys_file": "/dev/null", "signing_keys": KEYS}, "not in both"),
        ({"replyto_allowed": "a b?"}, "INTERLOCK_REPLYTO_ALLOWED: 'b?' should hold"),
    ],
)
def test_a_fault_is_told_with_its_setting_and_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    told = faults_of(monkeypatch, **variables)
    assert said in told
    assert "no base64!" not in told
    assert "YWFh" not in told


def test_keys_come_from_a_file_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(KEYS)
    monkeypatch.setenv("INTERLOCK_SIGNING_KEYS_FILE", str(tmp_path / "keys.json"))
    assert Settings.from_env().secrets() == SECRETS


def test_the_guard_is_as_the_settings_say() -> None:
    settings = Settings(
        signing_keys=KEYS,
        signing_rules='{"a": {"types": ["flow.*"]}}',
        signature_max_age="2h",
        replyto_allowed="billing.* actor:results/*",
    )
    guard = guard_of(settings)
    assert guard.keys == SECRETS
    assert guard.max_age.total_seconds() == 7200
    assert guard.replyto is not None
    assert guard.replyto.allow("actor:results/take")
    assert not guard.replyto.allow("shop")
    assert guard.notify is None
    assert guard_of(Settings()).keys == {}


def test_a_short_secret_is_told_when_a_worker_starts(caplog: pytest.LogCaptureFixture) -> None:
    guard_of(Settings(signing_keys='{"a": "c2VjcmV0"}'))
    assert "a signing key is short" in caplog.text
    assert "secret" not in caplog.text
