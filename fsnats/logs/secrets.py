"""The secrets that the settings hold, in every way in which they may come to be written.  Pure."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, quote, unquote

from fsnats.config import Config, as_text

_URL = re.compile(r"://([^\s]*)@")


def secrets_of(config: Config, environ: Mapping[str, str]) -> set[str]:
    """The secrets in the settings, and in the proxies that the environment names, in every way they are written."""
    texts = [as_text(getattr(config, field)) for field in Config.__struct_fields__]
    texts += [value for name, value in environ.items() if name.upper().endswith("_PROXY")]
    return {form for text in texts if "://" in text for secret in _in_urls(text) for form in _forms(secret)}


def _in_urls(text: str) -> Iterator[str]:
    # A comma may be part of a password, or stand between two URLs: both readings count.
    for url in (text, *text.split(",")):
        for match in _URL.finditer(url):
            user, colon, password = match[1].partition(":")
            yield password if colon else user  # a user alone is a token
            yield f"{user}:{password}" if colon else user
            yield b64encode(unquote(match[1]).encode()).decode()
        yield from (value for name, value in parse_qsl(url.partition("?")[2]) if "password" in name.lower())


def _forms(secret: str) -> Iterator[str]:
    bare = unquote(secret)
    yield from (secret, bare, quote(bare, safe=""), quote(bare), repr(bare)[1:-1])
