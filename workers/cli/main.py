"""`interlock`: the command line."""

import sys

from workers.settings import Settings


def main() -> None:
    """Provisional entry while the command line is being put together."""
    word = sys.argv[1]
    settings = Settings.from_env()
    from workers.logs import set_up_logging

    set_up_logging(settings.log_level, settings.log_format)
    if word == "migrate":
        from store.migrate import upgrade

        upgrade(settings.database_url)
    elif word == "worker":
        from workers.processes.worker import run

        sys.exit(run(settings))
    elif word == "relay":
        from workers.processes.relay import run as relay

        sys.exit(relay(settings))
    elif word == "up":
        from workers.embedded.up import up

        sys.exit(up(settings, settings.home, "--servers-only" in sys.argv))


if __name__ == "__main__":
    main()
