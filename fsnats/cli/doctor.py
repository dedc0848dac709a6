"""`fsnats doctor`: what works between here and the exchange, stage by stage."""

import asyncio
import os
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from fsnats.cli.settings import configured
from fsnats.config import Config
from fsnats.errors import EXIT_UNAVAILABLE

if TYPE_CHECKING:
    from fsnats.cli.checks.finding import Section
    from fsnats.cli.checks.proxies import Proxy
    from fsnats.exits.address import Exit

_OFFLINE = (
    "Binance cannot be reached as things are.  `fsnats up --sim` runs everything on simulated data, marked as such."
)


def doctor(context: typer.Context) -> None:
    """Check the way to Binance and to NATS, and whether streams flow.

    DNS, TCP, proxy, TLS, HTTP, WebSocket and clock for each market, through every configured exit.  Ends with status
    69 when something fails.
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
    """All checks at once; the findings in an order that reads well, exit by exit."""
    from fsnats.cli.checks.nats import check_nats
    from fsnats.cli.checks.streams import check_streams
    from fsnats.exits.trust import client_context

    context = client_context(config.ca_file)
    async with asyncio.TaskGroup() as tasks:
        ways = [tasks.create_task(_examine_exit(config, one, context)) for one in _exits(config)]
        bus = tasks.create_task(check_nats(config))
    sections = [section for way in ways for section in way.result()] + bus.result()
    if bus.result() and not any(section.failed for section in bus.result()):
        sections.append(await check_streams(config))
    return sections


def _exits(config: Config) -> "list[Exit]":
    """Every exit, those of the environment included."""
    from fsnats.exits.client import exits_to

    urls = [url for market in config.markets for url in (config.rest_url(market), config.ws_url(market))]
    return list(dict.fromkeys(one for url in urls for one in exits_to(url, config.proxy, os.environ)))


async def _examine_exit(config: Config, one: "Exit", context: ssl.SSLContext) -> "list[Section]":
    from fsnats.cli.checks import proxies
    from fsnats.cli.checks.exchange import check_rest, check_websocket
    from fsnats.exits.client import exits_to

    proxy = proxies.read(one.url) if one.url else None
    sections: list[Section] = []
    if proxy is not None:
        sections.append(await _check_proxy(proxy, context))
    elif len(_exits(config)) > 1:
        sections.append(_direct())
    async with asyncio.TaskGroup() as tasks:
        checks = []
        # Behind a proxy that does not let us in, every market would fail of the same.
        for market in config.markets if not any(section.failed for section in sections) else ():
            for check, url in ((check_rest, config.rest_url(market)), (check_websocket, config.ws_url(market))):
                if one in exits_to(url, config.proxy, os.environ):
                    checks.append(tasks.create_task(check(market, url, proxy, context)))
    return sections + [check.result() for check in checks]


def _direct() -> "Section":
    from fsnats.cli.checks.finding import Section

    section = Section("direct")
    section.good("exit", "without a proxy")
    return section


async def _check_proxy(proxy: "Proxy", context: ssl.SSLContext) -> "Section":
    from fsnats.cli.checks import proxies
    from fsnats.cli.checks.finding import Section, Trouble

    section = Section("proxy")
    try:
        line, words = await proxies.reach(proxy, context)
    except Trouble as trouble:
        section.bad(trouble)
    else:
        line.close()
        section.good("proxy", words)
    return section
