"""JSON Schemas of the normalised form, made of the table by which payloads are put into it.  Pure."""

from fsnats.normalised import FORMS, Sort
from gateway.openapi.parts import MILLISECONDS, Schema, array, fields, integer

_TRUTHS = frozenset({"is_closed", "is_buyer_maker"})
_WORDS = frozenset({"interval", "contract_type", "side", "order_type", "time_in_force", "status"})
_NUMBER: Schema = {
    "type": ["number", "string", "null"],
    "description": "The very digits that Binance sent; with `decimal=string` a string of them.",
}
_WORD: Schema = {"type": "string"}
_TRUTH: Schema = {"type": "boolean"}
_NOTICES: dict[str, Schema] = {
    "gap": fields(
        {"type": {"const": "gap"}, "market": _WORD, "data": {"type": "object"}},
        ["market"],
        description="What is missing: docs/protocol.md.",
    ),
    "resumed": fields(
        {"type": {"const": "resumed"}, "stream": _WORD, "recovered": _TRUTH, "missed": integer(0)},
        ["stream", "recovered", "missed"],
        description="A reader who comes back has what it missed.",
    ),
    "goodbye": fields(
        {"type": {"const": "goodbye"}, "reconnect": _TRUTH, "closesIn": {"type": "number"}},
        description="The gateway stops: come back, to another one if there is.",
    ),
    "close": fields({"code": integer(), "reason": _WORD}, description="The end; codes are those of a WebSocket."),
}


def schemas() -> dict[str, Schema]:
    """Of each type its data, by the type's name, and the whole message, with `_message` behind it; and what is no
    data."""
    made: dict[str, Schema] = {
        "raw_message": fields(
            {"stream": _WORD, "data": {"type": ["object", "array"]}}, description="Binance's own payload."
        )
    }
    for name, form in dict(FORMS.values()).items():
        properties: dict[str, Schema] = {"type": {"const": name}, "symbol": {"type": "string"}}
        properties |= {field: _schema(field, sort) for field, _, sort in form}
        made[name] = fields(properties)
        made[f"{name}_message"] = _message(name)
    return made | _NOTICES


def message_or_notice(*names: str) -> Schema:
    """What comes on a stream of messages: these, or what else has to be told."""
    return {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in (*names, *_NOTICES)]}


def _message(name: str) -> Schema:
    data: Schema = {"$ref": f"#/components/schemas/{name}"}
    marks: dict[str, Schema] = {mark: {"type": "boolean"} for mark in ("snapshot", "recovered")}
    return fields(
        {
            "type": {"const": name},
            "market": _WORD,
            **marks,
            "received": MILLISECONDS,
            "data": {"anyOf": [data, array(data)]},
            "timestamp": {"type": "string", "format": "date-time"},
        },
        ["market", *marks, "received"],
    )


def _schema(field: str, sort: Sort) -> Schema:
    if sort is Sort.NUMBER:
        return _NUMBER
    if sort is Sort.LEVELS:
        return array(array(_NUMBER, minItems=2, maxItems=2)) | {"type": ["array", "null"]}
    if field in _TRUTHS:
        return {"type": ["boolean", "null"]}
    if field in _WORDS:
        return {"type": ["string", "null"]}
    return MILLISECONDS if field == "timestamp" else {"type": ["integer", "null"]}
