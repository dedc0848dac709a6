"""The gateway's HTTP side: the dashboard, health, readiness, metrics, the document of all that, and REST."""

import gzip
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Response, asgi, route
from litestar.enums import HttpMethod
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from litestar.types import Receive, Scope, Send

from fsnats.binance.streams import MARKETS, Market
from fsnats.metrics.text import CONTENT_TYPE
from gateway import dashboard
from gateway.applications import App
from gateway.neighbours import FLEET_HEADER
from gateway.openapi import page
from gateway.openapi.document import document
from gateway.openapi.own import DOCS, HEALTHZ, METRICS, MODULE, READYZ, SCHEMA, SCHEMA_FILE
from gateway.openapi.parts import JSON
from gateway.rest.accepted import takes_gzip
from gateway.rest.problem import Problem
from gateway.rest.questions import PREFIXES

_MODULE = Path(__file__).parent / "static" / "fsnats.js"
_MOUNTS = [f"/{first}" for first in (*PREFIXES, *MARKETS)]
_READ = [HttpMethod.GET, HttpMethod.HEAD]
_PAGE = dashboard.FIELDS | {
    "content-type": dashboard.TYPES[".html"],
    # It has neither scripts nor anybody to ask.
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
}
_SHARED = {"access-control-allow-origin": "*", "cache-control": "no-cache"}


def build(
    unready: Callable[[], str | None],
    numbers: Callable[[], Awaitable[bytes]],
    facade: App,
    apps: Mapping[str, App] | None = None,
    markets: tuple[Market, ...] = tuple(Market),
    fleet: str = "",
) -> Litestar:
    """The ASGI application.  `unready` says what is missing for good service, or None; `numbers` are for Prometheus,
    `facade` answers Binance's REST of the `markets`, `apps` (`gateway.applications`) our own paths beside it;
    `fleet` is for `neighbours`."""

    module = _MODULE.read_bytes()
    told = document(markets)
    described, shown = msgspec.json.encode(told), page.page(told)
    packed = gzip.compress(described, mtime=0)
    exact = {path: app for path, app in (apps or {}).items() if not path.endswith("/")}
    below = {path: app for path, app in (apps or {}).items() if path.endswith("/")}

    @route(HEALTHZ.path, media_type=MediaType.TEXT, http_method=_READ, sync_to_thread=False)
    def healthz() -> Response[str]:
        """The process is alive."""
        return Response("ok\n", headers={FLEET_HEADER: fleet})

    @route(READYZ.path, media_type=MediaType.TEXT, http_method=_READ, sync_to_thread=False)
    def readyz() -> Response[str]:
        """Clients can be served now."""
        missing = unready()
        if missing is None:
            return Response("ready\n", status_code=HTTP_200_OK)
        return Response(f"not ready: {missing}\n", status_code=HTTP_503_SERVICE_UNAVAILABLE)

    @route(METRICS.path, http_method=_READ)
    async def metrics() -> Response[bytes]:
        """Prometheus' text format."""
        return Response(await numbers(), headers={"content-type": CONTENT_TYPE})

    @route(MODULE.path, http_method=_READ, sync_to_thread=False)
    def client() -> Response[bytes]:
        """What pages import to read streams: it holds nothing that a page of any origin must not have."""
        return Response(module, headers={"content-type": "text/javascript; charset=utf-8"} | _SHARED)

    @route([SCHEMA.path, SCHEMA_FILE.path], http_method=_READ, sync_to_thread=False)
    def schema(request: Request[Any, Any, Any]) -> Response[bytes]:
        """What is served here, for programs."""
        fields = {"content-type": JSON, "vary": "accept-encoding"} | _SHARED
        if _takes_gzip(request):
            return Response(packed, headers=fields | {"content-encoding": "gzip"})
        return Response(described, headers=fields)

    @route(DOCS.path, http_method=_READ, sync_to_thread=True)  # a quarter of a megabyte is put together and packed
    def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The same for people."""
        root = "../" if request.scope["raw_path"].partition(b"?")[0].endswith(b"/") else ""
        text = page.placed(shown, _address(request), root)
        if _takes_gzip(request):
            return Response(gzip.compress(text, 5), headers=_PAGE | {"content-encoding": "gzip"})
        return Response(text, headers=_PAGE)

    @asgi(_MOUNTS, is_mount=True, copy_scope=True)
    async def rest(scope: Scope, receive: Receive, send: Send) -> None:
        """REST."""
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        app = exact.get(path) or next((app for first, app in below.items() if path.startswith(first)), facade)
        await app(scope, receive, send)

    files: App = dashboard.Dashboard(dashboard.read(dashboard.FOLDER))

    @asgi("/", copy_scope=True)
    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        """The dashboard's page."""
        await files(scope, receive, send)

    @asgi(dashboard.PREFIX, is_mount=True, copy_scope=True)
    async def parts(scope: Scope, receive: Receive, send: Send) -> None:
        """What the page loads."""
        await files(scope, receive, send)

    return Litestar(
        [front, parts, healthz, readyz, metrics, client, schema, docs, rest],
        openapi_config=None,
        logging_config=None,
        exception_handlers={HTTPException: _refused},
    )


def _takes_gzip(request: Request[Any, Any, Any]) -> bool:
    return takes_gzip(request.headers.getall("accept-encoding", []))


def _address(request: Request[Any, Any, Any]) -> str:
    """Where the asker finds the gateway, as he says himself; behind a proxy, as that says."""
    host = request.headers.get("host", "localhost")
    proxied = request.headers.get("x-forwarded-proto", "")
    scheme = proxied if proxied in ("http", "https") else request.scope["scheme"]
    return f"{scheme}://{host}"


def _refused(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What Litestar refuses, in the form of our other refusals."""
    fields = {name.lower(): value for name, value in (error.headers or {}).items()}
    detail = f"{request.method} {request.scope['path'][:200]}"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        fields["allow"] = ", ".join(sorted(fields.get("allow", "").split(", ")))
        detail += f"; allowed: {fields['allow']}"
    elif error.status_code == HTTPStatus.NOT_FOUND:
        detail += f" is not served here; {SCHEMA.path} says what is"
    else:
        detail += f": {error.detail}"
    problem = Problem(error.status_code, detail)
    return Response(problem.body, status_code=problem.status, headers=fields | problem.fields)
