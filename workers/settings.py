"""Settings: one frozen, validated value, made at the start of a process and passed in.

The only reader of the environment. Nothing reads it later, and nothing here connects to anything.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from os import environ  # noqa: TID251 - here, and only here
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from workers.trust import EVERY_OTHER_KEY, keys_of, patterns, rules_of

PREFIX = "INTERLOCK_"
DOTENV = ".env"
# Read by the tests, by no process.
_TEST_PREFIX = f"{PREFIX}TEST_"
# Set by a parent process for its child, never by an operator.
READY_FD = f"{PREFIX}READY_FD"
_SECONDS_PER = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?")


class SettingsError(Exception):
    """Raised when the environment or .env holds settings that cannot be used; lists every fault at once."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        lines = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"These settings need correcting, in the environment or in {DOTENV}:\n{lines}")


class SettingRow(NamedTuple):
    """One line of the settings table in the README."""

    name: str
    default: str
    description: str


def _parse_duration(given: object) -> object:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return timedelta(seconds=given)
    if not isinstance(given, str):
        return given
    match = _DURATION.fullmatch(given.strip())
    if match is None:
        raise ValueError("should be a number of seconds, or a number with ms, s, m, h or d")
    return timedelta(seconds=float(match[1]) * _SECONDS_PER[match[2] or "s"])


def _check_url(url: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as fault:
        raise ValueError(f"is no URL: {fault}") from None
    if parts.scheme not in schemes:
        raise ValueError(f"should begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return url


def _check_database_url(url: str) -> str:
    _check_url(url, ("postgresql", "postgres"))
    if not urlsplit(url).path.strip("/"):
        raise ValueError("should name a database after the host")
    return url


def _check_redis_url(url: str) -> str:
    _check_url(url, ("redis", "rediss", "unix"))
    parts = urlsplit(url)
    if parts.scheme == "unix" and not parts.path:
        raise ValueError("should name the path of the socket")
    if parts.scheme != "unix" and not parts.hostname:
        raise ValueError("should name a host")
    return url


def _check_namespace(name: str) -> str:
    if re.fullmatch(NAMESPACE_PATTERN, name) is None:
        raise ValueError("should hold letters, digits and . _ - only, with at most one {hash tag}")
    return name


def _check_keys(text: SecretStr) -> SecretStr:
    keys_of(text.get_secret_value())
    return text


def _check_rules(text: str) -> str:
    rules_of(text)
    return text


def _check_patterns(text: str) -> str:
    patterns(text.split())
    return text


def host_and_port(address: str) -> tuple[str, int]:
    """The parts of HOST:PORT; an IPv6 address stands in brackets."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _check_address(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("should be HOST:PORT")
    return address


Duration = Annotated[timedelta, BeforeValidator(_parse_duration), Field(gt=timedelta(0))]
DatabaseUrl = Annotated[str, AfterValidator(_check_database_url)]
RedisUrl = Annotated[str, AfterValidator(_check_redis_url)]
Count = Annotated[int, Field(ge=1)]
# A hash tag, {interlock}, keeps all keys of a namespace on one node of a Redis Cluster.
NAMESPACE_PATTERN = r"[A-Za-z0-9._-]+|[A-Za-z0-9._-]*\{[A-Za-z0-9._-]+\}[A-Za-z0-9._-]*"
Namespace = Annotated[str, Field(max_length=100), AfterValidator(_check_namespace)]


class Settings(BaseModel):
    """What an operator can set: FIELD is read from the variable INTERLOCK_FIELD."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)

    database_url: DatabaseUrl = Field(
        "postgresql://127.0.0.1:5432/interlock", repr=False, description="The PostgreSQL database."
    )
    read_database_url: DatabaseUrl | None = Field(
        None,
        repr=False,
        description="A replica that answers queries, never decisions. Unset: the database itself answers.",
        examples=["postgresql://replica:5432/interlock"],
    )
    redis_url: RedisUrl = Field(
        "redis://127.0.0.1:6379/0", repr=False, description="Redis or Valkey: redis://, rediss:// or unix://."
    )
    namespace: Namespace = Field(
        "interlock",
        description="Begins every Redis key: letters, digits and . _ - with at most one {hash tag}.",
    )
    home: Path = Field(Path(".interlock"), description="The folder of the embedded servers' data.")

    max_message_bytes: Count = Field(1_048_576, description="Largest message, in bytes.")
    max_depth: Annotated[int, Field(ge=8, le=180)] = Field(64, description="Deepest nesting of a message.")
    replies_maxlen: Count = Field(100_000, description="Entries kept, roughly, in each reply stream.")
    events_maxlen: Count = Field(1_000_000, description="Entries kept, roughly, in the event stream.")
    command_retention: Duration = Field(
        timedelta(days=14), description="How long a command's id and result are known."
    )
    event_retention: Duration = Field(
        timedelta(days=14), description="How long published results and events stay in the database."
    )

    sequence_gap_timeout: Duration = Field(
        timedelta(seconds=60), description="How long commands wait for a missing sequence number."
    )
    max_attempts: Count = Field(20, description="Attempts before a failing command becomes a dead letter.")
    batch_size: Annotated[int, Field(ge=1, le=1000)] = Field(
        200, description="Most commands in one transaction."
    )
    worker_threads: Annotated[int, Field(ge=1, le=64)] = Field(
        2, description="Batches of commands in flight in a worker process."
    )
    query_threads: Annotated[int, Field(ge=1, le=64)] = Field(
        2, description="Queries in flight in a worker process."
    )
    heartbeat_timeout: Duration = Field(
        timedelta(seconds=15),
        description="Silence after which a worker is dead and its messages are taken back.",
    )

    signing_keys: Annotated[SecretStr, AfterValidator(_check_keys)] = Field(
        SecretStr(""),
        repr=False,
        description='Keys by their ids: {"KEYID": "base64 secret"}. Set, every command and query must be signed.',
        examples=['{"billing-1": "OUTPUT OF openssl rand -base64 32"}'],
    )
    signing_keys_file: Path | None = Field(
        None, description="A file that holds the keys instead.", examples=["/run/secrets/signing-keys.json"]
    )
    signing_rules: Annotated[str, AfterValidator(_check_rules)] = Field(
        "",
        description="Which sources and types each key is for (docs/security.md). Unset: any.",
        examples=['{"billing-1": {"sources": ["billing/*"], "types": ["flow_run.*"]}}'],
    )
    signature_max_age: Duration = Field(
        timedelta(days=1), description="Signed messages older than this are refused, by their `time`."
    )
    replyto_allowed: Annotated[str, AfterValidator(_check_patterns)] = Field(
        "",
        description="Patterns, separated by blanks, of the `replyto` that are served. Unset: all.",
        examples=["billing.* actor:results/*"],
    )
    notify_allowed: Annotated[str, AfterValidator(_check_patterns)] = Field(
        "",
        description="Patterns, separated by blanks, of the names to which policies may notify. Unset: all.",
        examples=["team-*"],
    )

    statement_timeout: Duration = Field(timedelta(seconds=30), description="Longest statement of a command.")
    lock_timeout: Duration = Field(
        timedelta(seconds=10), description="Longest wait for a lock in the database."
    )
    query_timeout: Duration = Field(timedelta(seconds=10), description="Longest statement of a query.")
    deployment_concurrency_wait: Duration = Field(
        timedelta(seconds=30), description="Delay told to a run that finds its deployment full."
    )
    task_tag_wait: Duration = Field(
        timedelta(seconds=30), description="Delay told to a task run that finds a tag's limit full."
    )
    late_after: Duration = Field(
        timedelta(seconds=15), description="How long after its scheduled start a run is late."
    )
    clock_interval: Duration = Field(timedelta(seconds=5), description="Time between rounds of the clock.")
    shutdown_timeout: Duration = Field(
        timedelta(seconds=30), description="Time that a process has to finish what is in hand after SIGTERM."
    )

    graph_max_nodes: Count = Field(10_000, description="Most nodes of a run graph.")
    graph_max_artifacts: Count = Field(10_000, description="Most artifacts of a run graph.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe line that is logged."
    )
    log_format: Literal["text", "json"] = Field("text", description="Log lines as text, or as JSON objects.")
    health_address: Annotated[str, AfterValidator(_check_address)] | None = Field(
        None,
        description="HOST:PORT for /live, /ready and /metrics of a process; each further worker takes the next port.",
        examples=["127.0.0.1:9464"],
    )
    dashboard_token: SecretStr = Field(
        SecretStr(""),
        repr=False,
        description="What readers of `interlock dashboard` have to know; 16 characters or more.",
    )
    notify_urls: SecretStr = Field(
        SecretStr(""), repr=False, description="Apprise URLs of `interlock notify`, separated by blanks."
    )

    @model_validator(mode="after")
    def _parts_fit_together(self) -> "Settings":
        keys = self.secrets()
        unknown = rules_of(self.signing_rules).keys() - keys.keys() - {EVERY_OTHER_KEY}
        if unknown:
            raise ValueError(
                f"{PREFIX}SIGNING_RULES: there is no key {sorted(unknown)[0]!r} to which a rule is given"
            )
        if keys and self.signature_max_age > self.command_retention - timedelta(minutes=5):
            raise ValueError(
                f"{PREFIX}SIGNATURE_MAX_AGE: should be less than {PREFIX}COMMAND_RETENTION, by 5 minutes at least: "
                "else a command could be sent again when its id is forgotten"
            )
        return self

    def secrets(self) -> dict[str, bytes]:
        """The signing keys, by their ids; none: nothing has to be signed.

        Raises:
            ValueError: if they cannot be had. When settings are made they are looked at.
        """
        if self.signing_keys_file is None:
            return keys_of(self.signing_keys.get_secret_value())
        name = f"{PREFIX}SIGNING_KEYS_FILE"
        if self.signing_keys.get_secret_value():
            raise ValueError(f"{name}: give the keys there or in {PREFIX}SIGNING_KEYS, not in both")
        try:
            keys = keys_of(self.signing_keys_file.read_text("utf-8"))
        except OSError as error:
            raise ValueError(f"{name}: {self.signing_keys_file} cannot be read: {error.strerror}") from None
        except ValueError as fault:
            raise ValueError(f"{name}: {self.signing_keys_file}: {fault}") from None
        if not keys:
            # An empty file must not mean that nobody has to sign any more.
            raise ValueError(f"{name}: {self.signing_keys_file} holds no key")
        return keys

    @classmethod
    def from_env(cls, **overrides: object) -> "Settings":
        """Read the environment, then .env; an override (a command line option) wins over both."""
        try:
            loaded = _FromEnvironment(**overrides)  # type: ignore[arg-type]
        except ValidationError as invalid:
            raise SettingsError(tuple(_fault(error) for error in invalid.errors())) from None
        return Settings(**dict(loaded))

    @classmethod
    def table(cls) -> tuple[SettingRow, ...]:
        """Name, default and description of each setting, as the README lists them."""
        return tuple(
            SettingRow(_variable(name), _as_text(field.default), field.description or "")
            for name, field in cls.model_fields.items()
        )

    @property
    def sqlalchemy_url(self) -> str:
        """`database_url` as SQLAlchemy wants it, with the driver's name."""
        return _with_driver(self.database_url)

    @property
    def sqlalchemy_read_url(self) -> str:
        """Where queries read: the replica if there is one."""
        return _with_driver(self.read_database_url or self.database_url)


class _FromEnvironment(BaseSettings, Settings):
    # A class of its own, so that Settings(batch_size=3) in a test does not depend on the machine.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=DOTENV, env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )


def unknown_variables() -> tuple[str, ...]:
    """INTERLOCK_ variables that no setting reads: most likely misspelt, worth a warning at start."""
    known = {_variable(name) for name in Settings.model_fields} | {READY_FD}
    return tuple(
        sorted(
            name
            for name in environ
            if name.startswith(PREFIX) and name not in known and not name.startswith(_TEST_PREFIX)
        )
    )


def environment_for_child(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with some variables changed, for a process that it starts."""
    inherited = {name: value for name, value in environ.items() if name != READY_FD}
    return {**inherited, **changes}


def ready_fd() -> int | None:
    """The pipe on which a parent process waits to hear that this one is ready, if there is one."""
    given = environ.get(READY_FD, "")
    return int(given) if given.isdigit() else None


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"


def _with_driver(url: str) -> str:
    return re.sub(r"^postgres(?:ql)?://", "postgresql+psycopg://", url)


def _fault(error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return message  # about several settings at once: it names them
    field = str(error["loc"][0])
    if field not in Settings.model_fields:
        return f"{field}: no such setting"
    info = Settings.model_fields[field]
    # A URL or a key may hold a password: what was given is shown only where it cannot.
    given = f", not {error['input']!r}" if info.repr and isinstance(error["input"], str | int) else ""
    example = info.examples[0] if info.examples else _as_text(info.default)
    return f"{_variable(field)}: {message[0].lower()}{message[1:]}{given} (for example {example})"


def _as_text(value: object) -> str:
    if isinstance(value, timedelta):
        return _duration_text(value)
    if value is None or isinstance(value, SecretStr):
        return ""
    return str(value)


def _duration_text(value: timedelta) -> str:
    seconds = value.total_seconds()
    days = seconds / _SECONDS_PER["d"]
    return f"{days:.0f}d" if days == int(days) else f"{seconds:g}s"


def health_of_child(settings: Settings, number: int) -> dict[str, str]:
    """Where the child of this number, from 0, serves health and metrics, as a variable: so many ports further."""
    if settings.health_address is None:
        return {}
    host, _, port = settings.health_address.rpartition(":")
    return {_variable("health_address"): f"{host}:{int(port) + number}"}
