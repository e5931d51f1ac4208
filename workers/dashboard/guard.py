"""Who may look: the Host header, the token, and the headers that keep a page from being used against its reader."""

import hashlib
import hmac
from collections.abc import MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "interlock"
LEAST_TOKEN = 16
_OPEN = ("/login", "/static/")
# The graph's element says how high it is, in these very words.
GRAPH_HEIGHT = "100%"
_GRAPH_STYLE = hashlib.sha256(f"height:{GRAPH_HEIGHT}".encode()).digest()


def _policy() -> str:
    from base64 import b64encode

    style = f"'self' 'unsafe-hashes' 'sha256-{b64encode(_GRAPH_STYLE).decode()}'"
    return (
        f"default-src 'none'; script-src 'self'; style-src {style}; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


HEADERS = {
    "Content-Security-Policy": _policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What a request has to show. `token` None: nothing. `hosts` None: whatever name it was sent to."""

    token: str | None = None
    hosts: frozenset[str] | None = None

    def knows(self, authorization: str | None, cookies: str | None) -> bool:
        """Whether a request has the token, or the cookie that was given for it."""
        if self.token is None:
            return True
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() == "bearer" and _same(given.strip(), self.token):
            return True
        return _same(_cookie(cookies), self.cookie)

    def is_token(self, given: str) -> bool:
        """Whether this is the token."""
        return self.token is not None and _same(given, self.token)

    @property
    def cookie(self) -> str:
        """What a browser keeps in place of the token: good for as long as the token is."""
        return hmac.new((self.token or "").encode(), b"interlock dashboard", hashlib.sha256).hexdigest()

    def serves(self, host: str) -> bool:
        """Whether requests to this name are meant for here: a page elsewhere may have its name point here."""
        return self.hosts is None or _without_port(host) in self.hosts


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is bound to this host."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Stands before the application."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message, scope["path"])
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: MutableMapping[str, Any]) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        if not self._access.serves(headers.get("host", "")):
            return PlainTextResponse("This name is not served here.\n", 421)
        if path.startswith(_OPEN) or self._access.knows(headers.get("authorization"), headers.get("cookie")):
            return None
        if "text/html" in headers.get("accept", ""):
            query = scope.get("query_string", b"").decode("latin-1")
            wanted = quote(f"{path}?{query}" if query else path, safe="")
            return RedirectResponse(f"/login?next={wanted}", 303)
        return PlainTextResponse(
            "The token is missing: Authorization: Bearer TOKEN\n", 401, {"WWW-Authenticate": "Bearer"}
        )


def _add_headers(message: Message, path: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if not path.startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _cookie(header: str | None) -> str:
    try:
        morsel = SimpleCookie(header or "").get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def _without_port(host: str) -> str:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower().rstrip(".")
