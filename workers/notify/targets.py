"""Where notifications go: one service behind each Apprise URL.

A URL holds passwords and tokens, in any of its parts: nothing of it may ever be logged or shown. Apprise masks
what it knows to be secret, and still writes hosts, which for some services are tokens.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from workers.notify.notice import Notice

if TYPE_CHECKING:
    from apprise import Apprise

INSTALL = "pip install 'interlock[server,notify]'"
_SCHEME = re.compile(r"([a-z][a-z0-9]{1,20})://", re.IGNORECASE)
# Shorter ones would make holes in every text.
_SHORTEST_PIECE = 3
_LONGEST_REASON = 200
# What Apprise works with, and what may write whole URLs into the log.
_TALKATIVE = ("urllib3", "requests", "requests_oauthlib", "oauthlib")


class NotInstalled(Exception):
    """Raised when the package that talks to the services is missing."""


class BadTargets(Exception):
    """Raised when URLs are none that Apprise can use; lists every fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Target:
    """One service. `name` says which without giving anything away."""

    def __init__(self, name: str, url: str, service: "Apprise") -> None:
        self.name = name
        self._url, self._service = url, service

    def deliver(self, notice: Notice, within_s: float) -> str | None:
        """None if the service has taken it; else why not, as far as that is known."""
        try:
            result = self._service.notify(
                body=notice.text,
                title=notice.title,
                notify_type=notice.kind,
                # So that `<` in a text stays what it is where mails are HTML.
                body_format="text",
                timeout=within_s,
            )
        except Exception as error:  # noqa: BLE001 - whatever a service's code raises, the news are kept
            return without(self._url, f"{type(error).__name__}: {error}")
        if result:
            return None
        reasons = [entry.message for entry in result.logs()]
        return without(self._url, " ".join(reasons) or result.status.name.lower())


def open_targets(urls: Iterable[str]) -> list[Target]:
    """A target for each URL; connects to none.

    Raises:
        NotInstalled: Apprise is missing.
        BadTargets: some are no URLs of services that Apprise knows.
    """
    _keep_quiet()
    try:
        import apprise
    except ModuleNotFoundError as missing:
        raise NotInstalled(f"{missing.name} is missing") from None
    targets, faults = [], []
    for number, url in enumerate(urls, start=1):
        asset = apprise.AppriseAsset(app_id="Interlock", app_desc="Interlock", app_url="")
        with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call]
            plugin = apprise.Apprise.instantiate(url, asset=asset)
            reason = without(url, said.getvalue())
        if plugin is None:
            faults.append(f"{_place(number, url)} is no URL that Apprise can use{reason and f': {reason}'}")
        else:
            name = f"target {number} ({plugin.service_name})"
            targets.append(Target(name, url, apprise.Apprise(plugin, asset=asset)))
    if faults:
        raise BadTargets(faults)
    return targets


def _keep_quiet() -> None:
    """Nobody but this module gets to see what is said about URLs."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # This one is asked for its warnings: silent, but not switched off.
    own = logging.getLogger("apprise")
    own.setLevel(logging.WARNING)
    own.propagate = False
    own.handlers = [logging.NullHandler()]


def without(url: str, text: str) -> str:
    """A text on one line in which nothing of the URL is left but its scheme."""
    rest = _SCHEME.sub("", url, count=1)
    written = {rest, *re.split(r"[/:@?&=#,\s]+", rest)}
    pieces = written | {unquote(piece) for piece in written}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= _SHORTEST_PIECE:
            text = re.sub(re.escape(piece), "***", text, flags=re.IGNORECASE)
    return " ".join(text.split())[:_LONGEST_REASON]


def _place(number: int, url: str) -> str:
    scheme = _SCHEME.match(url)
    return f"target {number} ({scheme[1].lower()}://...)" if scheme else f"target {number}, which has no ://,"
