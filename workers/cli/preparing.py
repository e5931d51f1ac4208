"""What words do before their work: settings, logging, and a look whether the servers are there."""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workers.settings import Settings

log = logging.getLogger("interlock")


def prepare(**overrides: object) -> "Settings":
    """The settings of this process, and its log lines on standard error as they want them.

    Raises:
        SettingsError: if they cannot be used.
    """
    from workers.logs import set_up_logging
    from workers.settings import Settings, unknown_variables

    settings = Settings.from_env(**overrides)
    set_up_logging(settings.log_level, settings.log_format)
    if settings.log_level != "DEBUG":
        # At INFO it names its plugins and the kind of database, each time anew.
        logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in unknown_variables():
        log.warning("%s is set, but there is no such setting; see the README", name)
    return settings


def require_servers(settings: "Settings") -> None:
    """Looks whether both servers answer and are as they should be: once running, processes wait out trouble, but
    one that starts with wrong addresses should say so.

    Raises:
        StoreError: the database cannot be reached, or its schema is another.
        redis.RedisError: Redis cannot be reached.
        NoPlaceForKeys: Redis is a cluster, and the namespace would scatter keys over it.
        ClocksDiffer: this machine's clock is too far from theirs.
    """
    from messages.streams import connect
    from store import schema
    from workers import skew
    from workers.cluster import require_place

    schema.require(settings.database_url)
    with connect(settings.redis_url) as redis:
        redis.ping()
        require_place(redis, settings.namespace)
    skew.require(settings)
