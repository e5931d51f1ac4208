"""The pages, and which address leads to which. They read and change nothing."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import parse_qs, urlencode
from uuid import UUID

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from messages.errors import Refused
from messages.queries import FlowRunSort
from messages.states import StateType
from store.errors import StoreError
from workers.dashboard import render, words
from workers.dashboard.guard import COOKIE, Access, Guard
from workers.dashboard.live import Latest
from workers.dashboard.reader import MOST_TASK_RUNS, SORTS, Reader, Wanted
from workers.drawing.html import script, style
from workers.drawing.svg import as_svg
from workers.figures.snapshot import Source
from workers.now import now
from workers.settings import Settings

_EVERY_S = 1.0
_LONGEST_FORM = 4_096
_LONGEST_TEXT = 200
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_SVG_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def application(settings: Settings, access: Access) -> Starlette:
    """The dashboard of an installation, for those who have access."""
    pages = Pages(Reader(settings), Latest(Source(settings)), access)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        pages.close()

    return Starlette(
        routes=[
            Route("/", pages.overview),
            Route("/events", pages.events),
            Route("/runs", pages.runs),
            Route("/runs/{run_id:uuid}", pages.run),
            Route("/runs/{run_id:uuid}/graph.svg", pages.graph),
            Route("/dead-letters", pages.dead_letters),
            Route("/login", pages.login, methods=["GET", "POST"]),
            Route("/logout", pages.logout, methods=["POST"]),
            Route("/static/{name}", static),
        ],
        middleware=[Middleware(Guard, access=access)],
        exception_handlers={StoreError: _away, Refused: _refused, 404: _not_found},
        lifespan=lifespan,
    )


@dataclass(frozen=True)
class Pages:
    """Every page. Those that read are run in threads."""

    reader: Reader
    latest: Latest
    access: Access

    def close(self) -> None:
        """Closes all connections."""
        self.reader.close()
        self.latest.close()

    def overview(self, _request: Request) -> Response:
        """The figures as they are; kept up to date by `events` where there is JavaScript."""
        return self._page("overview.html", here="overview", figures=self.latest.figures())

    async def events(self, request: Request) -> Response:
        """The same part of the page, anew each second, as server-sent events."""

        async def stream() -> AsyncIterator[ServerSentEvent]:
            while not await request.is_disconnected():
                figures = await run_in_threadpool(self.latest.figures)
                yield ServerSentEvent(render.page("_figures.html", figures=figures), event="figures")
                await anyio.sleep(_EVERY_S)

        return EventSourceResponse(stream(), send_timeout=10)

    def runs(self, request: Request) -> Response:
        """A list of runs, with filters."""
        wanted = _wanted(request)
        listed = self.reader.runs(wanted)
        filters = _filters(wanted)
        return self._page(
            "runs.html",
            here="runs",
            wanted=wanted,
            listed=listed,
            sorts=SORTS,
            at=now(),
            first=None if wanted.after is None else f"/runs?{urlencode(filters)}",
            following=None
            if listed.next is None
            else f"/runs?{urlencode({**filters, 'after': listed.next})}",
        )

    def run(self, request: Request) -> Response:
        """One run."""
        whole = self.reader.run(request.path_params["run_id"])
        if whole is None:
            return _not_found(request, None)
        graph, height = render.graph_of(whole)
        return self._page(
            "run.html",
            here="runs",
            whole=whole,
            flow_name=whole.flow,
            run=whole.run,
            about=words.about(whole.run),
            steps=list(words.steps(whole.history, whole.at)),
            graph=graph,
            height=height,
            most_task_runs=MOST_TASK_RUNS,
        )

    def graph(self, request: Request) -> Response:
        """The picture of a run's graph, for who has no JavaScript."""
        whole = self.reader.run(request.path_params["run_id"])
        if whole is None or whole.graph is None:
            return _not_found(request, None)
        picture = as_svg(whole.graph, now=whole.at, title=render.title_of(whole))
        return Response(picture, media_type=_TYPES["svg"], headers=_SVG_POLICY)

    def dead_letters(self, request: Request) -> Response:
        """Dead letters, latest first."""
        letters, more = self.reader.dead_letters(_uuid(request.query_params.get("before", "")))
        following = f"/dead-letters?{urlencode({'before': letters[-1].id})}" if more else None
        bodies = [(letter, words.body(letter)) for letter in letters]
        return self._page("dead_letters.html", here="dead letters", letters=bodies, following=following)

    async def login(self, request: Request) -> Response:
        """Takes the token once, and gives the browser a cookie for it."""
        wanted = _local(request.query_params.get("next", "/"))
        if request.method == "GET":
            return self._page("login.html", here="", wrong=False, wanted=wanted)
        form = parse_qs((await _body(request)).decode(errors="replace"))
        wanted = _local(form.get("next", ["/"])[0])
        if not self.access.is_token(form.get("token", [""])[0]):
            return self._page("login.html", 403, here="", wrong=True, wanted=wanted)
        response = RedirectResponse(wanted, 303)
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, self.access.cookie, httponly=True, samesite="strict", secure=secure)
        return response

    def logout(self, _request: Request) -> Response:
        """The browser forgets."""
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    def _page(self, template: str, status: int = 200, **values: object) -> Response:
        text = render.page(template, can_log_out=self.access.token is not None, **values)
        return HTMLResponse(text, status)


def static(request: Request) -> Response:
    """What pages need: the files of this folder, and what the graph draws with."""
    name = request.path_params["name"]
    made: Mapping[str, Callable[[], str]] = {
        "states.css": render.state_colours,
        "graph.css": style,
        "graph.js": script,
    }
    headers = {"Cache-Control": "max-age=300"}
    if name in made:
        return Response(made[name](), media_type=_TYPES[name.rpartition(".")[2]], headers=headers)
    if name not in ("style.css", "live.js", "icon.svg"):
        return _not_found(request, None)
    text = files("workers.dashboard").joinpath("static", name).read_text()
    return Response(text, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)


def _wanted(request: Request) -> Wanted:
    given = request.query_params
    state, sort = given.get("state", ""), given.get("sort", "")
    return Wanted(
        state=StateType(state) if state in set(StateType) else None,
        flow=_text(given.get("flow", "")),
        name=_text(given.get("name", "")),
        tag=_text(given.get("tag", "")),
        sort=FlowRunSort(sort) if sort in set(SORTS) else Wanted().sort,
        after=given.get("after") or None,
    )


def _filters(wanted: Wanted) -> dict[str, str]:
    state = "" if wanted.state is None else wanted.state.value
    given = {"state": state, "flow": wanted.flow, "name": wanted.name, "tag": wanted.tag}
    return {name: value for name, value in given.items() if value} | {"sort": wanted.sort.value}


def _text(given: str) -> str:
    # PostgreSQL knows no NUL in texts.
    return given.strip().replace("\x00", "")[:_LONGEST_TEXT]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _local(path: str) -> str:
    """A path of this server: nobody is to be sent elsewhere from here."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


async def _body(request: Request) -> bytes:
    text = b""
    async for chunk in request.stream():
        text += chunk
        if len(text) > _LONGEST_FORM:
            return b""
    return text


def _away(_request: Request, error: Exception) -> Response:
    told = render.page("trouble.html", heading="The database does not answer", told=str(error), again=True)
    return HTMLResponse(told, 503, {"Retry-After": "5"})


def _refused(_request: Request, error: Exception) -> Response:
    told = error.message if isinstance(error, Refused) else str(error)
    return HTMLResponse(render.page("trouble.html", heading="That cannot be", told=told, again=False), 400)


def _not_found(_request: Request, _error: Exception | None) -> Response:
    told = "There is nothing under this address. A run may have been deleted."
    return HTMLResponse(render.page("trouble.html", heading="Not found", told=told, again=False), 404)
