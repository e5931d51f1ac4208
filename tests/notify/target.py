"""A webhook on this machine: what Apprise's `json://` talks to."""

import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

OK = 200
UNAVAILABLE = 503


class Webhook:
    """Takes what is posted, or does as `answer` says: it gets what came, and gives the status."""

    def __init__(self, answer: Callable[[dict[str, Any]], int] = lambda _came: OK) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.answer = answer
        self.url = f"json://127.0.0.1:{self._port}/"
        #: what was answered with OK, and what was answered at all
        self.taken: list[dict[str, Any]] = []
        self.seen: list[dict[str, Any]] = []
        self._server: ThreadingHTTPServer | None = None

    def url_with(self, secret: str) -> str:
        """The same address, with something to keep secret in each of its parts."""
        return f"json://{secret}user:{secret}word@127.0.0.1:{self._port}/{secret}path?-{secret}=x"

    @property
    def texts(self) -> list[str]:
        """The texts of what was taken."""
        return [each["message"] for each in self.taken]

    def start(self) -> Self:
        """From now on somebody listens."""
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                came = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                webhook.seen.append(came)
                status = webhook.answer(came)
                if status == OK:
                    webhook.taken.append(came)
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Connections are refused again."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
