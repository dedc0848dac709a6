"""The stages below HTTP: a name's addresses, a connection to one of them, TLS on top."""

import asyncio
import ipaddress
import socket
import ssl
import time
from typing import NamedTuple

from fsnats.cli.checks.finding import Trouble

LIMIT = 5.0  # seconds for each stage
_USE_A_PROXY = "set `proxy` (FSNATS_PROXY) to an exit that is allowed to reach it"


class Line(NamedTuple):
    """An open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        """Close at once: nothing of worth is on its way."""
        self.writer.transport.abort()


async def resolve(host: str, port: int, *, behind_proxy: bool = False) -> list[str]:
    """The addresses of a name.  Raises Trouble."""
    advice = (
        "write socks5h:// instead of socks5://, so that the proxy looks names up"
        if behind_proxy
        else f"check this machine's resolver, or {_USE_A_PROXY} (socks5h:// looks names up at the proxy)"
    )
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(LIMIT):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise Trouble("DNS", f"nobody tells the address of {host} within {LIMIT:g} s", advice) from None
    except OSError as error:
        raise Trouble("DNS", f"{host} has no address: {error.strerror or error}", advice) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not _is_local(host) and all(_is_bogus(address) for address in addresses):
        raise Trouble("DNS", f"{host} is said to be {addresses[0]}: the resolver blocks the name", advice)
    return addresses


def _is_local(host: str) -> bool:
    """Whether nobody had to be asked for the address, or it is of this machine by name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost") or "." not in host
    return True


def _is_bogus(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return parsed.is_unspecified or parsed.is_loopback


async def dial(addresses: list[str], port: int, advice: str = "") -> tuple[Line, str]:
    """A TCP connection to the first address that answers, and how that went.  Raises Trouble."""
    failures: list[str] = []
    for address in addresses:
        began = time.monotonic()
        try:
            async with asyncio.timeout(LIMIT):
                reader, writer = await asyncio.open_connection(address, port)
        except TimeoutError:
            failures.append(f"{address}:{port} does not answer within {LIMIT:g} s (a firewall that drops packets)")
        except OSError as error:
            failures.append(f"{address}:{port}: {error.strerror or error}")
        else:
            return Line(reader, writer), f"{address}:{port} answers in {(time.monotonic() - began) * 1000:.0f} ms"
    raise Trouble("TCP", "; ".join(failures), advice or _USE_A_PROXY)


async def secure(line: Line, host: str, context: ssl.SSLContext) -> str:
    """Start TLS on a connection; returns what was agreed.  Raises Trouble."""
    try:
        async with asyncio.timeout(LIMIT):
            await line.writer.start_tls(context, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise Trouble(
            "TLS",
            f"the certificate of {host} is not to be trusted: {error.verify_message}",
            "something on the way opens TLS (a company's proxy, an antivirus, a captive portal): use an exit that does "
            "not, or name its authority in `ca_file` (FSNATS_CA_FILE); or this machine's clock or certificates are old",
        ) from error
    except (OSError, TimeoutError) as error:
        raise Trouble(
            "TLS",
            f"no TLS with {host}: {_reason(error)}",
            f"something on the way cuts TLS to this name: {_USE_A_PROXY}",
        ) from error
    agreed = line.writer.get_extra_info("ssl_object")
    return f"{agreed.version()} with {host}, certificate trusted"


def _reason(error: OSError | TimeoutError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    if isinstance(error, TimeoutError):
        return f"no answer within {LIMIT:g} s"
    return error.strerror or str(error) or "the connection was cut"
