"""Access tokens: the text of their file, and finding one without telling by the time it takes how near a guess was."""

import hmac
import re
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from fsnats.binance.streams import Market
from fsnats.errors import Unusable
from gateway.admission.grants import TYPES, Grant

CHARS_MIN = 16  # of a token; 16 random letters and digits are 95 bits


class Pass(NamedTuple):
    """A token that was shown, as far as it is remembered: what it allows, and its digest."""

    grant: Grant
    digest: bytes


class BadTokens(Unusable):
    """A file of tokens that cannot be used.  The message holds none of them."""


class Tokens:
    """All tokens that are valid now.  Only their digests are kept."""

    def __init__(self, grants: Mapping[bytes, Grant]) -> None:
        """`grants` are by digest."""
        self._grants = dict(grants)

    def __len__(self) -> int:
        return len(self._grants)

    def find(self, token: str) -> Pass | None:
        """What a token allows; None for one that is not valid."""
        shown = _digest(token)
        found = None
        for digest, grant in self._grants.items():  # to the end, whatever was found
            if hmac.compare_digest(digest, shown):
                found = Pass(grant, digest)
        return found

    def grant_of(self, pass_: Pass) -> Grant | None:
        """What the token behind a pass allows now."""
        return self._grants.get(pass_.digest)

    @property
    def names(self) -> set[str]:
        """Whose tokens these are."""
        return {grant.name for grant in self._grants.values()}


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    markets: Annotated[list[Market], Meta(min_length=1)] | None = None
    types: Annotated[list[str], Meta(min_length=1)] | None = None
    connections: Annotated[int, Meta(ge=1)] | None = None
    streams: Annotated[int, Meta(ge=1)] | None = None
    requests: Annotated[float, Meta(gt=0)] | None = None
    logs: bool = False


class _File(msgspec.Struct, forbid_unknown_fields=True):
    token: Annotated[list[_Entry], Meta(min_length=1)]


FIELDS = _Entry.__struct_fields__


def read(text: str) -> Tokens:
    """Read the text of a tokens file.  Raises BadTokens."""
    try:
        entries = msgspec.convert(tomllib.loads(text), _File).token
    except tomllib.TOMLDecodeError as error:
        raise BadTokens(f"not TOML: {error}") from None
    except msgspec.ValidationError as error:
        # A name that is out of place may be a token that is.
        raise BadTokens(re.sub("unknown field `.*`", f"a field other than {', '.join(FIELDS)}", str(error))) from None
    grants: dict[bytes, Grant] = {}
    for entry in entries:
        who = f"the token of '{entry.name}'"
        if len(entry.token) < CHARS_MIN or not entry.token.isascii() or not entry.token.isprintable():
            raise BadTokens(f"{who} must have at least {CHARS_MIN} characters, printable ASCII")
        if any(letter in entry.token for letter in ' "'):
            raise BadTokens(f"{who} holds a space or a quotation mark")
        unknown = [name for name in entry.types or () if name not in TYPES]
        if unknown:
            raise BadTokens(f"{who} names unknown types: {', '.join(unknown)}; there are {', '.join(sorted(TYPES))}")
        digest = _digest(entry.token)
        if digest in grants:
            raise BadTokens(f"{who} is that of '{grants[digest].name}' too")
        grants[digest] = Grant(
            name=entry.name,
            markets=None if entry.markets is None else frozenset(entry.markets),
            types=None if entry.types is None else frozenset(entry.types),
            connections=entry.connections,
            streams=entry.streams,
            requests=entry.requests,
            logs=entry.logs,
        )
    return Tokens(grants)


def _digest(token: str) -> bytes:
    # Of equal length whatever is shown.  Tokens are random, so that nothing slower is needed.
    return sha256(token.encode(errors="surrogateescape")).digest()
