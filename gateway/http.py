"""The gateway's HTTP side: health, readiness, metrics."""

from collections.abc import Callable

from litestar import Litestar, MediaType, Response, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


def build(unready: Callable[[], str | None], registry: CollectorRegistry) -> Litestar:
    """The ASGI application.  `unready` says what is missing for good service, or None."""

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

    return Litestar([healthz, readyz, metrics], openapi_config=None, logging_config=None)
