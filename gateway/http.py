"""The gateway's HTTP side: the dashboard, health, readiness, metrics, and REST, Binance's and ours."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from litestar import Litestar, MediaType, Response, asgi, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from litestar.types import Receive, Scope, Send
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from fsnats.binance.streams import Market
from gateway import dashboard
from gateway.komas.api import PREFIX
from gateway.rest import symbols as symbols_of
from gateway.rest.fleet import PREFIX as FLEET
from gateway.rest.questions import PREFIXES
from gateway.rest.ranges import PATHS

App = Callable[[Any, Any, Any], Awaitable[None]]  # of ASGI

_MODULE = Path(__file__).parent / "static" / "fsnats.js"
_MOUNTS = [f"/{first}" for first in (*PREFIXES, *Market)]


def build(
    unready: Callable[[], str | None],
    registry: CollectorRegistry,
    facade: App,
    archive: App | None = None,
    komas: App | None = None,
    symbols: App | None = None,
    fleet: App | None = None,
) -> Litestar:
    """The ASGI application.  `unready` says what is missing for good service, or None; `facade` answers Binance's REST,
    `archive`, `komas`, `symbols` and `fleet` our own paths beside it."""

    module = _MODULE.read_bytes()

    @get("/healthz", media_type=MediaType.TEXT, sync_to_thread=False)
    def healthz() -> str:
        """The process is alive."""
        return "ok\n"

    @get("/readyz", media_type=MediaType.TEXT, sync_to_thread=False)
    def readyz() -> Response[str]:
        """Clients can be served now."""
        missing = unready()
        if missing is None:
            return Response("ready\n", status_code=HTTP_200_OK)
        return Response(f"not ready: {missing}\n", status_code=HTTP_503_SERVICE_UNAVAILABLE)

    @get("/metrics", sync_to_thread=False)
    def metrics() -> Response[bytes]:
        """Prometheus' text format."""
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    @get("/fsnats.js", sync_to_thread=False)
    def client() -> Response[bytes]:
        """What pages import to read streams: it holds nothing that a page of any origin must not have."""
        fields = {"content-type": "text/javascript; charset=utf-8", "access-control-allow-origin": "*"}
        return Response(module, headers=fields | {"cache-control": "no-cache"})

    @asgi(_MOUNTS, is_mount=True, copy_scope=True)
    async def rest(scope: Scope, receive: Receive, send: Send) -> None:
        """REST."""
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        if symbols is not None and path == symbols_of.PATH:
            await symbols(scope, receive, send)
        elif archive is not None and path in PATHS:
            await archive(scope, receive, send)
        elif komas is not None and path.startswith(PREFIX):
            await komas(scope, receive, send)
        elif fleet is not None and (path == FLEET or path.startswith(f"{FLEET}/")):
            await fleet(scope, receive, send)
        else:
            await facade(scope, receive, send)

    files: App = dashboard.Dashboard(dashboard.read(dashboard.FOLDER))

    @asgi("/", copy_scope=True)
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        """The dashboard's page."""
        await files(scope, receive, send)

    @asgi(dashboard.PREFIX, is_mount=True, copy_scope=True)
    async def parts(scope: Scope, receive: Receive, send: Send) -> None:
        """What the page loads."""
        await files(scope, receive, send)

    return Litestar([page, parts, healthz, readyz, metrics, client, rest], openapi_config=None, logging_config=None)
