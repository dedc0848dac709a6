"""JSON Schemas said in words, for people.  Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

_DEPTH = 6  # levels of an outline
_NAMES = {"integer": "whole number", "string": "text", "boolean": "true or false", "object": "object", "null": "null"}


def words(schema: Mapping[str, Any]) -> str:
    """What a parameter may be."""
    default = f"; {schema['default']} by default" if schema.get("default", "") != "" else ""
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}{default}"
    kind = _NAMES.get(str(schema.get("type", "")), str(schema.get("type", "anything")))
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None and most < 10**6:
        kind += f" from {least} to {most}"
    elif least:
        kind += f", at least {least}"
    if "pattern" in schema:
        kind += f" like {schema['pattern']}"
    return kind + default


def outline(schema: Mapping[str, Any], schemas: Mapping[str, Any], indent: str = "", depth: int = _DEPTH) -> str:
    """What an answer is like: JSON with words for its values."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return outline(schemas[name], schemas, indent, depth)
    if depth == 0:
        return "…"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _either(schema[several], schemas, indent, depth)
    if "const" in schema:
        return _quoted(schema["const"])
    if "enum" in schema:
        return " | ".join(map(_quoted, schema["enum"]))
    kind = schema.get("type")
    if kind == "array":
        return _array(schema, schemas, indent, depth)
    if kind == "object":
        return _object(schema, schemas, indent, depth)
    kinds = kind if isinstance(kind, list) else [kind]
    return " | ".join(_NAMES.get(str(each), str(each or "anything")) for each in kinds)


def _either(several: Sequence[Mapping[str, Any]], schemas: Mapping[str, Any], indent: str, depth: int) -> str:
    told = dict.fromkeys(outline(each, schemas, indent, depth - 1) for each in several)
    return f"\n{indent}or ".join(told) if any("\n" in each for each in told) else " | ".join(told)


def _array(schema: Mapping[str, Any], schemas: Mapping[str, Any], indent: str, depth: int) -> str:
    if "prefixItems" in schema:
        items = (each.get("title") or outline(each, schemas, indent, depth - 1) for each in schema["prefixItems"])
        return f"[{', '.join(items)}]"
    item = outline(schema.get("items", {}), schemas, indent, depth - 1)
    return f"[{item}, …]"


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], indent: str, depth: int) -> str:
    properties: Mapping[str, Any] = schema.get("properties", {})
    if not properties:
        more = schema.get("additionalProperties")
        return f"{{name: {outline(more, schemas, indent, depth - 1)}, …}}" if isinstance(more, Mapping) else "{…}"
    deeper = f"{indent}  "
    always = set(schema.get("required", ()))
    lines = []
    for name, each in properties.items():
        mark = "" if name in always else "?"
        lines.append(f'{deeper}"{name}"{mark}: {outline(each, schemas, deeper, depth - 1)}')
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
