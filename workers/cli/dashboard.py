"""`interlock dashboard`: a web page for those who want to see what goes on."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.failures import WRONG_USAGE, Complaint
from workers.cli.preparing import prepare, require_servers

if TYPE_CHECKING:
    from socket import socket

    from workers.dashboard.guard import Access

INSTALL = "pip install 'interlock[server,dashboard]'"
_NEEDED = ("starlette", "uvicorn", "sse_starlette", "jinja2")


def dashboard(
    host: Annotated[
        str, typer.Option(help="The address to listen on; others than this machine's need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8711,
    token: Annotated[
        str | None,
        typer.Option(
            help="What readers have to know. INTERLOCK_DASHBOARD_TOKEN is the better place: arguments show."
        ),
    ] = None,
    without_token: Annotated[
        bool, typer.Option("--without-token", help="Let everybody read who can reach the address.")
    ] = False,
) -> None:
    """Serve a read-only web page with figures, runs, graphs and dead letters, until Ctrl-C or SIGTERM."""
    settings = prepare(**({} if token is None else {"dashboard_token": token}))
    access = _access(host, settings.dashboard_token.get_secret_value() or None, without_token=without_token)
    require_servers(settings)
    try:
        from workers.dashboard.serve import serve
    except ModuleNotFoundError as missing:
        if missing.name not in _NEEDED:
            raise
        raise Complaint(f"the dashboard needs {missing.name}, which is not installed: {INSTALL}") from None
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"http://{shown}:{listener.getsockname()[1]}/\n")
    sys.stdout.flush()
    serve(settings, access, listener)


def _access(host: str, token: str | None, *, without_token: bool) -> "Access":
    from workers.dashboard.guard import LEAST_TOKEN, LOCAL_NAMES, Access, is_loopback

    if token is not None and len(token) < LEAST_TOKEN:
        raise Complaint(f"the token should have {LEAST_TOKEN} characters or more", WRONG_USAGE)
    if is_loopback(host):
        return Access(token, LOCAL_NAMES | {host.lower()})
    if token is None and not without_token:
        raise Complaint(
            f"{host} can be reached by others: set INTERLOCK_DASHBOARD_TOKEN, or say --without-token",
            WRONG_USAGE,
        )
    return Access(token)


def _listen(host: str, port: int) -> "socket":
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise Complaint(
            f"cannot listen on {host} port {port}: {error.strerror or error}", WRONG_USAGE
        ) from None
