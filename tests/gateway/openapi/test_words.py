import pytest

from gateway.openapi.words import outline, words

SCHEMAS = {"Decimal": {"type": "string"}, "Row": {"type": "array", "items": {"$ref": "#/components/schemas/Decimal"}}}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 5}, "whole number from 1 to 5"),
        ({"type": "integer", "minimum": 1, "maximum": 10**12}, "whole number, at least 1"),
        ({"type": "string", "enum": ["a", "b"], "default": "b"}, "one of a, b; b by default"),
        ({"type": "string", "pattern": "^x$"}, "text like ^x$"),
        ({"type": "string", "default": ""}, "text"),
        ({}, "anything"),
    ],
)
def test_what_a_parameter_may_be(schema: dict[str, object], said: str) -> None:
    assert words(schema) == said


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"$ref": "#/components/schemas/Row"}, "[text, …]"),
        ({"const": "gap"}, '"gap"'),
        ({"enum": ["a", 1]}, '"a" | 1'),
        ({"type": ["integer", "null"]}, "whole number | null"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "integer"}]}, "whole number | text"),
        ({"type": "array", "prefixItems": [{"title": "opens"}, {"type": "string"}]}, "[opens, text]"),
        ({"type": "object"}, "{…}"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "{name: text, …}"),
        (
            {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "object"}}, "required": ["a"]},
            '{\n  "a": true or false,\n  "b"?: {…}\n}',
        ),
    ],
)
def test_what_an_answer_is_like(schema: dict[str, object], said: str) -> None:
    assert outline(schema, SCHEMAS) == said


def test_a_shape_that_holds_itself_comes_to_an_end() -> None:
    tree = {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
    assert outline(tree, {"Tree": tree}) == "[[[[[[…, …], …], …], …], …], …]"
