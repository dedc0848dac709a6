"""What one request over HTTP may say and gets: the parts that the document is put together of.  Pure."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

import msgspec

Schema = Mapping[str, object]
Content = type | Schema
"""What a body is like: a type that msgspec encodes, or a JSON Schema."""

JSON, PROBLEM, TEXT, EVENTS = "application/json", "application/problem+json", "text/plain", "text/event-stream"

_READABLE = "/:@,!"  # stay as they are in the query of an example


class Parameter(msgspec.Struct, frozen=True):
    """One of the query, unless `place` says otherwise.  One with an `example` is part of the operation's example."""

    name: str
    schema: Schema
    text: str
    required: bool = False
    example: str | int | None = None
    place: Literal["query", "path", "header"] = "query"


class Answer(msgspec.Struct, frozen=True):
    """One status, its bodies by media type and the names of header fields (`gateway.openapi.fields`) that it may have.
    Of events the body is what each one's data is.  Those with a `name` are in the document once."""

    status: int
    text: str = ""
    bodies: Mapping[str, Content] = {}
    headers: tuple[str, ...] = ()
    name: str = ""


class Operation(msgspec.Struct, frozen=True, eq=False):
    """One method of one path: what is dispatched and what is described.

    `bases` are prefixes under which the path is served, "" being the path itself.  `body` is what is sent, with
    `body_example` for one.
    """

    verb: Literal["GET", "POST"]
    path: str
    group: str
    summary: str
    answers: Sequence[Answer]
    parameters: Sequence[Parameter] = ()
    text: str = ""
    body: type | None = None
    body_example: object = None
    bases: tuple[str, ...] = ("",)

    @property
    def names(self) -> frozenset[str]:
        """The parameters of the query."""
        return frozenset(each.name for each in self.parameters if each.place == "query")

    @property
    def places(self) -> list[tuple[str, str]]:
        """Verb and whole path wherever it is served."""
        return [(self.verb, base + self.path) for base in self.bases]

    @property
    def example(self) -> str:
        """Path and query of a request that works."""
        given = [each for each in self.parameters if each.example is not None]
        path = self.bases[0] + self.path
        for each in given:
            path = path.replace(f"{{{each.name}}}", str(each.example))
        shown = [each for each in given if each.place == "query"]
        query = "&".join(f"{each.name}={quote(str(each.example), _READABLE)}" for each in shown)
        return f"{path}?{query}" if query else path


def choice(values: Sequence[str], default: str | None = None) -> dict[str, object]:
    """One of some words."""
    schema: dict[str, object] = {"type": "string", "enum": list(values)}
    return schema if default is None else schema | {"default": default}


def text(pattern: str = "", **more: object) -> dict[str, object]:
    """A word, made of what a pattern allows."""
    return {"type": "string"} | ({"pattern": pattern} if pattern else {}) | more


def integer(least: int | None = None, most: int | None = None, **more: object) -> dict[str, object]:
    """A whole number."""
    limits = {"minimum": least, "maximum": most}
    return {"type": "integer"} | {name: value for name, value in limits.items() if value is not None} | more


MILLISECONDS: dict[str, object] = {"type": "integer", "description": "Milliseconds since 1970."}


def array(items: Schema, **more: object) -> dict[str, object]:
    """Any number of the same."""
    return {"type": "array", "items": items} | more


def fields(properties: Mapping[str, Schema], optional: Sequence[str] = (), **more: object) -> dict[str, object]:
    """An object; all but the `optional` properties are always there."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties)} | ({"required": required} if required else {}) | more


def rendered(operation: Operation, refs: Mapping[type, Any]) -> dict[str, Any]:
    """The operation as the document has it; `refs` are the schemas of types."""
    told: dict[str, Any] = {
        "operationId": operation_id(operation),
        "tags": [operation.group],
        "summary": operation.summary,
    }
    if operation.text:
        told["description"] = operation.text
    if operation.parameters:
        told["parameters"] = [_parameter(each) for each in operation.parameters]
    if operation.body is not None:
        content: dict[str, object] = {"schema": refs[operation.body]}
        if operation.body_example is not None:
            content["example"] = operation.body_example
        told["requestBody"] = {"required": True, "content": {JSON: content}}
    told["responses"] = {
        str(each.status): {"$ref": f"#/components/responses/{each.name}"} if each.name else answer(each, refs)
        for each in operation.answers
    }
    return told


def operation_id(operation: Operation) -> str:
    """A name that no other operation has."""
    words = operation.path.replace("{", "").replace("}", "").split("/")
    return "_".join([operation.verb.lower(), *(list(filter(None, words)) or ["root"])])


def _parameter(parameter: Parameter) -> dict[str, object]:
    told: dict[str, object] = {"name": parameter.name, "in": parameter.place, "description": parameter.text}
    if parameter.required or parameter.place == "path":
        told["required"] = True
    told["schema"] = parameter.schema
    if parameter.example is not None:
        told["example"] = parameter.example
    return told


def answer(one: Answer, refs: Mapping[type, Any]) -> dict[str, object]:
    """An answer as the document has it."""
    told: dict[str, object] = {"description": one.text or HTTPStatus(one.status).phrase}
    if one.headers:
        told["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in one.headers}
    if one.bodies:
        told["content"] = {media: _media(media, body, refs) for media, body in one.bodies.items()}
    return told


def _media(media: str, content: Content, refs: Mapping[type, Any]) -> dict[str, object]:
    schema: Schema = refs[content] if isinstance(content, type) else content
    # OpenAPI 3.1 has no word for what one of many events is; who reads such documents takes the schema for that.
    return {"schema": _event(schema) if media == EVENTS else schema}


def _event(data: Schema) -> Schema:
    return fields(
        {
            "id": text(description="Where the reader is after it."),
            "event": text(description="What it is, where it is no message."),
            "data": text(contentMediaType=JSON, contentSchema=data),
            "retry": integer(0),
        },
        ["id", "event", "data", "retry"],
        description="One event; there are any number of them.",
    )
