"""JSON Schemas of the normalised form, made of the table by which payloads are put into it.  Pure."""

from fsnats.normalised import FORMS, Sort
from gateway.openapi.parts import MILLISECONDS, Schema, array, fields

_TRUTHS = frozenset({"is_closed", "is_buyer_maker"})
_WORDS = frozenset({"interval", "contract_type", "side", "order_type", "time_in_force", "status"})
_NUMBER: Schema = {
    "type": ["number", "string", "null"],
    "description": "The very digits that Binance sent; with `decimal=string` a string of them.",
}


def schemas() -> dict[str, Schema]:
    """Of each type its data, by the type's name, and the whole message, with `_message` behind it."""
    made: dict[str, Schema] = {}
    for name, form in dict(FORMS.values()).items():
        properties: dict[str, Schema] = {"type": {"const": name}, "symbol": {"type": "string"}}
        properties |= {field: _schema(field, sort) for field, _, sort in form}
        made[name] = fields(properties)
        made[f"{name}_message"] = _message(name)
    return made


def _message(name: str) -> Schema:
    data: Schema = {"$ref": f"#/components/schemas/{name}"}
    marks: dict[str, Schema] = {mark: {"type": "boolean"} for mark in ("snapshot", "recovered")}
    return fields(
        {
            "type": {"const": name},
            "market": {"type": "string"},
            **marks,
            "data": {"anyOf": [data, array(data)]},
            "timestamp": {"type": "string", "format": "date-time"},
        },
        ["market", *marks],
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
