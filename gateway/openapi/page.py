"""The OpenAPI document as a page: whole as it is served, without a script.  Pure.

It is made of the document and nothing else, but for a few words about streams, which OpenAPI cannot describe.
"""

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from gateway.openapi.words import outline, words

BASE, ROOT = "@base@", "@root@"  # stand for the gateway's address, and the way to its root, until somebody asks

_TICKS = re.compile(r"`([^`]+)`")
_STREAMS = """
<p>A stream goes on until one side ends it. All of them are described in <code>docs/protocol.md</code>.</p>
<dl>
<dt>Native, at <code>@ws@/</code></dt>
<dd>JSON messages with a <code>type</code>. Say <code>{"type":"subscribe","streamType":"kline","symbols":["btcusdt"],
"options":{"interval":"1m"}}</code>; what comes is <code>{"type":"kline","data":{…}}</code>, the data being
Binance's own bytes. What is missing is told as <code>{"type":"gap",…}</code>.</dd>
<dt>Normalised, at <code>@ws@/normalised</code></dt>
<dd>The same with readable names, and JSON numbers that have Binance's digits; <code>?decimal=string</code> has
strings.</dd>
<dt>Binance's, at <code>@ws@/ws/btcusdt@trade</code> and
<code>@ws@/stream?streams=btcusdt@trade/ethusdt@depth</code></dt>
<dd>For clients of Binance, with no change but their base URL. Futures are below <code>/usdm</code> and
<code>/coinm</code>.</dd>
<dt>Server-sent events, over plain HTTP</dt>
<dd>See <a href="#Events">Events</a>: <code>new EventSource("@base@/api/ws/sse/prices?symbols=BTCUSDT")</code>.</dd>
<dt>A module for pages</dt>
<dd><code>import { Client } from "@base@/fsnats.js"</code> comes back by itself and goes on where it was:
<code>docs/client.md</code>.</dd>
</dl>"""


def page(document: Mapping[str, Any]) -> str:
    """The page, with BASE and ROOT in the place of what is known when it is asked for (`placed`)."""
    groups = [str(each["name"]) for each in document["tags"]]
    body = "".join(
        f'<section id="{_id(group)}"><h2>{escape(group)}</h2>{_group(document, group)}</section>' for group in groups
    )
    sections = {"main": "About", **{_id(group): group for group in groups}, "streams": "Streams"}
    links = "".join(f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title in sections.items())
    about = "".join(f"<p>{_text(part)}</p>" for part in document["info"]["description"].strip().split("\n\n"))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>fsnats over HTTP</title>
<link rel="icon" href="{ROOT}dashboard/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{ROOT}dashboard/dashboard.css">
<link rel="stylesheet" href="{ROOT}dashboard/docs.css">
</head>
<body>
<a class="skip" href="#main">Skip to the text</a>
<header class="top">
<span class="brand">fsnats</span>
<nav aria-label="Pages"><a href="{ROOT}./">Dashboard</a><a href="{ROOT}docs" aria-current="page">HTTP</a>
<a href="{ROOT}schema">OpenAPI</a></nav>
<div class="top-right"><span class="badge">{escape(str(document["info"]["version"]))}</span></div>
</header>
<div class="docs">
<nav class="contents" aria-label="Contents"><ul>{links}</ul></nav>
<main id="main" tabindex="-1">
<h1>What this gateway answers over HTTP</h1>
{about}
{_securities(document)}
{body}
<section id="streams"><h2>Streams</h2>{_STREAMS}</section>
</main>
</div>
</body>
</html>
"""


def placed(text: str, base: str, root: str) -> bytes:
    """The page for somebody who reads it at an address such as `http://localhost:8080`."""
    address = escape(base)
    sockets = address.replace("http", "ws", 1)
    return text.replace("@ws@", sockets).replace(BASE, address).replace(ROOT, root).encode()


def _group(document: Mapping[str, Any], group: str) -> str:
    return "".join(
        _operation(document, path, verb, operation, [each["url"].rstrip("/") for each in item.get("servers", ())])
        for path, item in document["paths"].items()
        for verb, operation in item.items()
        if verb != "servers" and operation["tags"] == [group]
    )


def _operation(
    document: Mapping[str, Any], path: str, verb: str, operation: Mapping[str, Any], bases: list[str]
) -> str:
    name = operation["operationId"]
    elsewhere = [base + path for base in bases if base]
    also = f"<p>Also at {', '.join(f'<code>{escape(each)}</code>' for each in elsewhere)}.</p>" if elsewhere else ""
    text = f"<p>{_text(operation['description'])}</p>" if "description" in operation else ""
    return (
        f'<details id="{name}"><summary><span class="verb {verb}">{verb.upper()}</span> '
        f'<code>{escape(path)}</code> <span class="quiet">{escape(operation["summary"])}</span></summary>'
        f"{text}{also}{_parameters(operation)}{_body(document, operation)}"
        f'<pre class="curl"><code>{escape(_curl(path, verb, operation))}</code></pre>'
        f"{_answers(document, operation)}</details>"
    )


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><th scope='row'><code>{escape(each['name'])}</code></th><td>{escape(each['in'])}"
        f"{', needed' if each.get('required') else ''}</td><td>{_text(each['description'])}"
        f' <span class="quiet">{escape(words(each["schema"]))}</span></td></tr>'
        for each in operation.get("parameters", ())
    ]
    head = "<thead><tr><th scope='col'>Parameter</th><th scope='col'>Where</th><th scope='col'>What</th></tr></thead>"
    return f"<table>{head}<tbody>{''.join(rows)}</tbody></table>" if rows else ""


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    if "requestBody" not in operation:
        return ""
    (content,) = operation["requestBody"]["content"].values()
    return f"<p>Its body, JSON:</p><pre><code>{escape(outline(content['schema'], _schemas(document)))}</code></pre>"


def _answers(document: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    parts = []
    for status, answer in operation["responses"].items():
        known = document["components"]["responses"]
        told = known[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        # Those of data are told where there is some.
        names = [name for name in told.get("headers", ()) if status == "200" or not name.startswith("x-")]
        fields = "".join(f" <code>{escape(name)}</code>" for name in names)
        with_fields = f' <span class="quiet">with{fields}</span>' if fields else ""
        parts.append(f"<dt><code>{status}</code></dt><dd>{_text(told['description'])}{with_fields}</dd>")
    return f"<h3>Answers</h3><dl class='answers'>{''.join(parts)}</dl>{''.join(_shapes(document, operation))}"


def _shapes(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    for media, content in operation["responses"]["200"].get("content", {}).items():
        told = outline(content["schema"], _schemas(document))
        if told != "text":
            yield f"<p><code>{escape(media)}</code></p><pre><code>{escape(told)}</code></pre>"
        else:
            yield f"<p><code>{escape(media)}</code></p>"


def _securities(document: Mapping[str, Any]) -> str:
    known = document["components"]["securitySchemes"].values()
    told = "".join(f"<li>{escape(each['description'])} <code>{_shown(each)}</code></li>" for each in known)
    return f"<p>Who asks may have to show a token:</p><ul>{told}</ul>"


def _shown(scheme: Mapping[str, Any]) -> str:
    return "Authorization: Bearer …" if scheme["type"] == "http" else f"?{escape(scheme['name'])}=…"


def _curl(path: str, verb: str, operation: Mapping[str, Any]) -> str:
    given = {each["name"]: each for each in operation.get("parameters", ()) if "example" in each}
    for name, each in given.items():
        path = path.replace(f"{{{name}}}", str(each["example"])) if each["in"] == "path" else path
    query = "&".join(f"{name}={each['example']}" for name, each in given.items() if each["in"] == "query")
    target = f"{BASE}{path}?{query}" if query else f"{BASE}{path}"
    line = f"curl {'-N ' if 'text/event-stream' in str(operation['responses']['200']) else ''}"
    if verb == "post":
        line += "-X POST "
    if "requestBody" in operation:
        (content,) = operation["requestBody"]["content"].values()
        line += f"-H 'Content-Type: application/json' -d '{json.dumps(content['example'])}' "
    return f"{line}'{target}'"


def _schemas(document: Mapping[str, Any]) -> Mapping[str, Any]:
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    return schemas


def _text(text: str) -> str:
    return _TICKS.sub(r"<code>\1</code>", escape(text, quote=False))


def _id(group: str) -> str:
    return group.replace(" ", "-")
