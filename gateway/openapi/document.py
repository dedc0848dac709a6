"""The OpenAPI document, put together from the tables by which requests are dispatched.  Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from fsnats import __version__
from fsnats.binance.streams import Market
from gateway.komas.routes import ROUTES as KOMAS
from gateway.openapi import bodies, exchange, normalised, own, past, problems
from gateway.openapi.fields import HEADERS
from gateway.openapi.parts import Operation, Schema, answer, rendered
from gateway.sse.routes import ROUTES as EVENTS

_REF = "#/components/schemas/{name}"
_ABOUT = """Binance's public market data: candles, trades, books and prices of the past and of now.

Paths under `/api/ws` and `/api/v1` are fsnats' own; the others are Binance's, with Binance's parameters, answers and
errors. Orders and accounts are not served. Streams come over WebSocket at `/` (the native protocol), `/normalised` and
`/ws`, `/stream` (Binance's own): `docs/protocol.md` describes them. `HEAD` is answered wherever `GET` is, without the
body, but for events. What is no HTTP at all is answered 400, in plain text.
"""


def operations(markets: Sequence[Market]) -> Iterator[Operation]:
    """All that is served over HTTP where these markets are carried."""
    yield from past.archive(markets)
    yield past.symbols(markets)
    yield from EVENTS
    yield from KOMAS
    yield from own.OPERATIONS
    yield from exchange.operations(markets)


def document(markets: Sequence[Market]) -> dict[str, Any]:
    """The document, ready to be encoded as JSON."""
    every = list(operations(markets))
    types = _types(every)
    refs, components = msgspec.json.schema_components(types, ref_template=_REF)
    of_types = dict(zip(types, refs, strict=True))
    paths: dict[str, Any] = {}
    for each in every:
        item = paths.setdefault(each.path, {})
        if each.bases != ("",):
            item["servers"] = [{"url": base or "/"} for base in each.bases]
        item[each.verb.lower()] = rendered(each, of_types)
    schemas: dict[str, Schema] = {
        **bodies.SHARED,
        "Problem": problems.SCHEMA,
        **normalised.schemas(),
        **components,
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fsnats",
            "version": __version__,
            "summary": "Subscribe to Binance once, serve everyone.",
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"bearer": []}, {"token": []}],
        "tags": [{"name": name} for name in dict.fromkeys(each.group for each in every)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {one.name: answer(one, of_types) for each in every for one in each.answers if one.name},
            "headers": {name: {"description": text, "schema": schema} for name, (text, schema) in HEADERS.items()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "Where the gateway asks for a token."},
                "token": {"type": "apiKey", "in": "query", "name": "token", "description": "The same, in the URL."},
            },
        },
    }


def _types(every: Sequence[Operation]) -> list[type]:
    found: dict[type, None] = {}
    for each in every:
        bodies_of = [body for answer in each.answers for body in answer.bodies.values()]
        found |= dict.fromkeys(body for body in (*bodies_of, each.body) if isinstance(body, type))
    return list(found)
