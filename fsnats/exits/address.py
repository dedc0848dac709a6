"""What an exit is, read from what people write.  Pure; the name is safe to show, the URL is not."""

from urllib.parse import quote, unquote, urlsplit

import msgspec

SCHEMES = ("socks5", "socks5h", "http", "https")
ENVIRONMENT = "env"  # in a pool: what HTTPS_PROXY, ALL_PROXY and NO_PROXY say
_PORTS = {"socks5": 1080, "socks5h": 1080, "http": 80, "https": 443}


class Exit(msgspec.Struct, frozen=True):
    """One way to Binance.  `url` is None for a direct connection, and holds the password otherwise."""

    name: str
    url: str | None = None

    def __repr__(self) -> str:
        return f"Exit({self.name!r})"


DIRECT = Exit("direct")


def read_exit(text: str) -> Exit:
    """An exit from `direct` or a proxy's URL.

    Raises ValueError with a sentence that does not repeat the text: it may hold a password.
    """
    if text == DIRECT.name:
        return DIRECT
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("the URL is not a URL") from None
    if parts.scheme not in SCHEMES:
        raise ValueError(f"the URL does not begin with {' or '.join(scheme + '://' for scheme in SCHEMES)}")
    if not parts.hostname or port == 0 or parts.path not in ("", "/") or parts.query or parts.fragment:
        reason = "the URL is not <scheme>://[user:password@]host:port"
        raise ValueError(f"{reason}; '@', ':', '/', ',', '#' and '?' in a password are percent-encoded")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    # The port is spelled out: libraries do not agree on the default one of SOCKS.
    place = f"{host}:{port or _PORTS[parts.scheme]}"
    login = ""
    if parts.username is not None:
        user, password = (quote(unquote(part or ""), safe="") for part in (parts.username, parts.password))
        login = f"{user}:{password}@"
    return Exit(f"{parts.scheme}://{place}", f"{parts.scheme}://{login}{place}")


def read_pool(text: str) -> list[Exit | str]:
    """The exits of a comma-separated pool, in order; ENVIRONMENT stands where it was written.  Raises ValueError."""
    entries: list[Exit | str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        entry = ENVIRONMENT if part == ENVIRONMENT else read_exit(part)
        if entry in entries:
            raise ValueError("the same exit twice")
        entries.append(entry)
    return entries or [DIRECT]


def named_apart(exits: list[Exit]) -> list[Exit]:
    """The same exits, each once, under names that differ: at some proxies the user decides where one comes out."""
    apart: list[Exit] = []
    for one in dict.fromkeys(exits):
        count = sum(other.name.partition(" #")[0] == one.name for other in apart)
        apart.append(one if count == 0 else Exit(f"{one.name} #{count + 1}", one.url))
    return apart
