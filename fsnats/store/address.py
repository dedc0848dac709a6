"""Where the store is, read from what people write.  Pure; the name is safe to show, the URL is not."""

from pathlib import PurePosixPath
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

FILE = "fsnats.sqlite3"  # in the state directory, where no URL is set
_PORT = 5432  # PostgreSQL's own


class SqliteAddress(msgspec.Struct, frozen=True):
    """A database in a file of this machine."""

    path: str

    @property
    def name(self) -> str:
        """How it is called in logs and errors."""
        return f"sqlite://{self.path}"


class PostgresAddress(msgspec.Struct, frozen=True):
    """A database of a PostgreSQL server.  `url` may hold a password."""

    name: str
    url: str

    def __repr__(self) -> str:
        return f"PostgresAddress({self.name!r})"


def read_url(url: str, state_dir: str) -> SqliteAddress | PostgresAddress:
    """What a URL names; an empty one is the file in the state directory.

    Raises ValueError with a sentence that does not repeat the URL: it may hold a password.
    """
    if not url:
        return SqliteAddress(str(PurePosixPath(state_dir) / FILE))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("the URL is not a URL") from None
    if parts.scheme == "sqlite":
        # Always from the root: programs that run in different directories must not mean different files.
        path = "/" + unquote(parts.path).lstrip("/")
        if parts.netloc or path == "/" or parts.query or parts.fragment:
            raise ValueError("the URL is not sqlite:///<absolute path of the file>")
        return SqliteAddress(path)
    if parts.scheme in ("postgresql", "postgres"):
        database = unquote(parts.path.lstrip("/"))
        if not parts.hostname and "host" not in dict(parse_qsl(parts.query)):
            raise ValueError("the URL is not postgresql://[user[:password]@]host[:port]/database")
        if not database or "/" in database or parts.fragment or port == 0:
            reason = "the URL is not postgresql://[user[:password]@]host[:port]/database"
            raise ValueError(f"{reason}; '@', ':', '/', '#' and '?' in a password are percent-encoded")
        host = parts.hostname or dict(parse_qsl(parts.query))["host"]
        shown = f"[{host}]" if ":" in host else host
        return PostgresAddress(f"postgresql://{shown}:{port or _PORT}/{database}", url)
    raise ValueError("the URL begins neither with sqlite:/// nor with postgresql://")
