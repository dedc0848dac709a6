"""What HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say of a URL.  Pure: the variables are an argument.

As curl does it: lower case wins over upper case, a proxy without a scheme speaks HTTP.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from fsnats.exits.address import DIRECT, Exit, read_exit

_VARIABLE = {"wss": "https_proxy", "https": "https_proxy", "ws": "http_proxy", "http": "http_proxy"}


def from_environment(url: str, environ: Mapping[str, str]) -> Exit:
    """The exit for a URL.  Raises ValueError, naming the variable, for a proxy that cannot be used."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme in ("wss", "https") else 80)
    if is_excepted(parts.hostname or "", port, _value("no_proxy", environ)[1]):
        return DIRECT
    for variable in (_VARIABLE[parts.scheme], "all_proxy"):
        name, text = _value(variable, environ)
        if text:
            try:
                return read_exit(_with_scheme(text))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
    return DIRECT


def is_excepted(host: str, port: int, no_proxy: str) -> bool:
    """Whether NO_PROXY names the host: `*`, a name and all below it, an address, a network, each with or without a
    port."""
    for entry in no_proxy.replace(",", " ").split():
        if entry == "*":
            return True
        name, colon, wanted = entry.rpartition(":")
        if not colon or not wanted.isdigit() or (":" in name and not name.endswith("]")):
            name, wanted = entry, ""  # no port, or an IPv6 address without brackets
        if (not wanted or int(wanted) == port) and _is_of(host.lower(), name.strip("[]").lower()):
            return True
    return False


def _is_of(host: str, name: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = name.removeprefix("*").strip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False


def _value(variable: str, environ: Mapping[str, str]) -> tuple[str, str]:
    name = variable if environ.get(variable) else variable.upper()
    return name, environ.get(name, "")


def _with_scheme(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator:
        return f"http://{text}"
    return f"socks5h://{rest}" if scheme == "socks" else text
