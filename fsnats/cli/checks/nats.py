"""NATS: reachable, willing, and with JetStream."""

import asyncio
import ssl
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from fsnats import __version__
from fsnats.bus import wire
from fsnats.cli.checks.finding import Section, Trouble
from fsnats.cli.checks.line import LIMIT, Line, dial, resolve, secure
from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.rendezvous import nats_urls

_Event = TypeVar("_Event", bound=wire.Event)

_RUNNING = "is nats-server running, and is this the address in `nats_url` (FSNATS_NATS_URL)?"
_LOGIN = "write user and password, or a token, into `nats_url`: nats://user:password@host:4222"


async def check_nats(config: Config) -> list[Section]:
    """Every configured server, or the embedded one where it runs."""
    try:
        urls = nats_urls(config)
    except ConfigError:
        section = Section("NATS")
        section.untried("TCP", "no server is configured and no fleet runs here: `fsnats up` starts a server of its own")
        return [section]
    async with asyncio.TaskGroup() as tasks:
        checks = [tasks.create_task(_check(url)) for url in urls]
    return [check.result() for check in checks]


async def _check(url: str) -> Section:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 4222
    section = Section("NATS")
    line: Line | None = None
    try:
        addresses = await resolve(host, port)
        line, words = await dial(addresses, port, _RUNNING)
        section.good("TCP", words)
        info = await _first(line, wire.Info, "greeting")
        if parts.scheme == "tls" or info.fields.get("tls_required"):
            section.good("TLS", await secure(line, host, ssl.create_default_context()))
        await _log_in(line, unquote(parts.username or ""), unquote(parts.password or ""))
        section.good("login", f"nats-server {info.fields.get('version')} lets us in")
        if not info.fields.get("jetstream"):
            raise Trouble("JetStream", "it is off", "start nats-server with `-js`: the catalogue is kept there")
        section.good("JetStream", "on")
    except Trouble as trouble:
        section.bad(trouble)
    finally:
        if line is not None:
            line.close()
    return section


async def _log_in(line: Line, user: str, password: str) -> None:
    login = {"user": user, "pass": password} if password else {"auth_token": user} if user else {}
    options: dict[str, object] = {"verbose": False, "pedantic": False, "lang": "python", "version": __version__}
    line.writer.write(wire.connect({**options, "name": "fsnats-doctor", **login}) + wire.PING)
    await _first(line, wire.Pong, "login")


async def _first(line: Line, kind: type[_Event], what: str) -> _Event:
    """The first event of this kind.  The server sends nothing beyond it before we do, so no bytes are lost."""
    parser = wire.Parser()
    try:
        async with asyncio.timeout(LIMIT):
            while True:
                data = await line.reader.read(64 * 1024)
                if not data:
                    raise Trouble(what, "the server cut the connection", _RUNNING)
                for event in parser.receive(data):
                    if isinstance(event, kind):
                        return event
                    if isinstance(event, wire.ServerError):
                        raise Trouble(what, f"the server refuses: {event.text}", _LOGIN)
    except TimeoutError:
        raise Trouble(what, f"no answer within {LIMIT:g} s: this is not NATS", _RUNNING) from None
    except (OSError, wire.WireError) as error:
        raise Trouble(what, f"this is not NATS: {error}", _RUNNING) from error
