"""`fsnats doctor`: what works between here and the exchange, stage by stage."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from fsnats.cli.settings import configured
from fsnats.config import Config
from fsnats.errors import EXIT_UNAVAILABLE

if TYPE_CHECKING:
    from fsnats.cli.checks.finding import Section
    from fsnats.cli.checks.proxies import Proxy

_OFFLINE = (
    "Binance cannot be reached as things are.  `fsnats up --sim` runs everything on simulated data, marked as such."
)


def doctor(context: typer.Context) -> None:
    """Check the way to Binance and to NATS.

    DNS, TCP, proxy, TLS, HTTP, WebSocket and clock for each market, through the configured exit.  Ends with status 69
    when something fails.
    """
    from fsnats.cli.bus import run

    config = configured(context)
    sections: list[Section] = []

    async def look() -> None:
        sections.extend(await examine(config))

    status = run(look)
    for line in lines(sections):
        # typer leaves the colours out where the output is no terminal.
        typer.echo(line)
    raise typer.Exit(EXIT_UNAVAILABLE if any(section.failed for section in sections) else status)


def lines(sections: "list[Section]") -> Iterator[str]:
    """The verdicts, a line each, and what they mean together."""
    from fsnats.cli.checks.finding import Mark

    colours = {Mark.GOOD: "green", Mark.BAD: "red", Mark.NOTE: "yellow"}
    for finding in (finding for section in sections for finding in section.findings):
        mark = typer.style(finding.mark, fg=colours.get(finding.mark), bold=True)
        yield f"{mark} {finding.subject:<13} {finding.stage:<10} {finding.words}"
        if finding.advice:
            yield f"    → {finding.advice}"
    broken = [section for section in sections if section.failed]
    if any(section.subject != "NATS" for section in broken):
        yield f"\n{_OFFLINE}"
    elif not broken and sections:
        yield "\nEverything that was tried works."


async def examine(config: Config) -> "list[Section]":
    """All checks at once; the findings in an order that reads well."""
    from fsnats.cli.checks import proxies
    from fsnats.cli.checks.exchange import check_rest, check_websocket
    from fsnats.cli.checks.nats import check_nats
    from fsnats.exits import proxy_of

    url = proxy_of(config)
    proxy = proxies.read(url) if url else None
    sections: list[Section] = []
    if proxy is not None:
        sections.append(await _check_proxy(proxy))
    async with asyncio.TaskGroup() as tasks:
        checks = []
        # Behind a proxy that does not let us in, every market would fail of the same.
        for market in config.markets if not any(section.failed for section in sections) else ():
            checks.append(tasks.create_task(check_rest(market, config.rest_url(market), proxy)))
            checks.append(tasks.create_task(check_websocket(market, config.ws_url(market), proxy)))
        bus = tasks.create_task(check_nats(config))
    return sections + [check.result() for check in checks] + bus.result()


async def _check_proxy(proxy: "Proxy") -> "Section":
    from fsnats.cli.checks import proxies
    from fsnats.cli.checks.finding import Section, Trouble

    section = Section("proxy")
    try:
        line, words = await proxies.reach(proxy)
    except Trouble as trouble:
        section.bad(trouble)
    else:
        line.close()
        section.good("proxy", words)
    return section
