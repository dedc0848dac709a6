"""`fsnats gateway`: serve clients."""

from typing import Annotated

import typer

from fsnats.cli.become import become
from fsnats.cli.settings import configured


def gateway(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Listen on this port; 0 takes a free one.  [default: 8080]")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Listen on this address.  [default: 0.0.0.0]")] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, help="So many processes share the port.  [default: 1]")
    ] = None,
    tls_cert: Annotated[
        str | None, typer.Option(help="Serve wss:// and https:// with this certificate chain, a PEM file.")
    ] = None,
    tls_key: Annotated[str | None, typer.Option(help="The certificate's key, a PEM file.")] = None,
    graceful: Annotated[
        float | None,
        typer.Option(min=0, max=600, help="When stopped, send clients away over so many seconds.  [default: 0]"),
    ] = None,
) -> None:
    """Serve clients what the bus carries.

    WebSocket, REST and a dashboard on one port.  Any number of gateways may run, here and elsewhere.
    """
    options: dict[str, object] = {"gateway_port": port, "gateway_host": host, "gateway_processes": processes}
    options |= {"gateway_tls_cert": tls_cert, "gateway_tls_key": tls_key, "gateway_graceful": graceful}
    become("gateway", [], configured(context, options))
