"""Asks a process, as a supervisor would, whether it lives and whether it can do its work."""

import time
import urllib.error
import urllib.request
from socket import create_server

_WITHIN_S = 20.0


class Probe:
    """The probes of one process, wherever it starts again."""

    def __init__(self) -> None:
        with create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"

    def becomes(self, *, ready: bool) -> bool:
        """Whether it says so in time."""
        give_up_at = time.monotonic() + _WITHIN_S
        while self._status("ready") != (200 if ready else 503):
            if time.monotonic() > give_up_at:
                return False
            time.sleep(0.1)
        return True

    def lives(self) -> bool:
        """Whether it is not to be started again."""
        return self._status("live") == 200

    def _status(self, path: str) -> int | None:
        try:
            with urllib.request.urlopen(f"http://{self.address}/{path}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None
