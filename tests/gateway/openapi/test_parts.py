from gateway.openapi.parts import (
    EVENTS,
    JSON,
    Answer,
    Operation,
    Parameter,
    answer,
    choice,
    fields,
    integer,
    operation_id,
    rendered,
    text,
)
from gateway.openapi.problems import problems

SYMBOL = Parameter("symbol", text("^[A-Z]+$"), "A symbol.", required=True, example="BTCUSDT")
ASKED = Operation(
    "GET",
    "/books/{book}",
    "Books",
    "One book",
    (Answer(200, "", {JSON: fields({"bids": integer(0)})}, ("x-age",)), *problems(404, 429)),
    (SYMBOL, Parameter("limit", integer(1, 5), "Rows."), Parameter("book", text(), "Which.", example=7, place="path")),
    bases=("", "/spot"),
)


def test_an_example_is_a_request_with_what_has_an_example() -> None:
    assert ASKED.example == "/books/7?symbol=BTCUSDT"
    assert ASKED.names == {"symbol", "limit"}
    assert ASKED.places == [("GET", "/books/{book}"), ("GET", "/spot/books/{book}")]
    assert operation_id(ASKED) == "get_books_book"


def test_an_operation_is_told_as_openapi_has_it() -> None:
    told = rendered(ASKED, {})
    assert told["parameters"][0] == {
        "name": "symbol",
        "in": "query",
        "description": "A symbol.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Z]+$"},
        "example": "BTCUSDT",
    }
    assert told["parameters"][2]["required"] is True  # a part of the path always is
    assert told["responses"]["200"] == {
        "description": "OK",
        "headers": {"x-age": {"$ref": "#/components/headers/x-age"}},
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"bids": {"type": "integer", "minimum": 0}},
                    "required": ["bids"],
                }
            }
        },
    }
    assert told["responses"]["429"] == {"$ref": "#/components/responses/Problem429"}


def test_of_events_it_is_told_what_each_is() -> None:
    told = answer(Answer(200, "", {EVENTS: choice(["a"])}), {})
    event = told["content"]["text/event-stream"]["schema"]  # type: ignore[index]
    assert event["properties"]["data"] == {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"type": "string", "enum": ["a"]},
    }
