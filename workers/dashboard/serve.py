"""The web server around the pages."""

import socket

import uvicorn

from workers.dashboard.app import application
from workers.dashboard.guard import Access
from workers.processes.stopping import until_stopped
from workers.settings import Settings

_SHUTDOWN_S = 3


def serve(settings: Settings, access: Access, listener: socket.socket) -> None:
    """Serves until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        application(settings, access),
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Whoever stands in front may say that it was https; nobody else is believed.
        forwarded_allow_ips="127.0.0.1",
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
    # uvicorn hands a signal on when it has ended: it has done its work by then.
    with until_stopped():
        uvicorn.Server(config).run(sockets=[listener])
