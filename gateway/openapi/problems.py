"""Refusals of our own paths, in the form of RFC 9457.  Pure."""

from gateway.openapi.fields import ALLOW, CHALLENGE, RETRY_AFTER
from gateway.openapi.parts import PROBLEM, Answer, Schema, choice, fields, integer, text
from gateway.protocol.problems import Problem

SCHEMA: Schema = fields(
    {
        "type": text(),
        "title": text(),
        "status": integer(400, 599),
        "detail": text(description="What was wrong, and what is allowed."),
        "code": choice([str(each) for each in Problem]),
    },
    ["code"],
    description="Why there is no answer (RFC 9457). Codes are those of the native protocol.",
)
_REF: Schema = {"$ref": "#/components/schemas/Problem"}
_TEXTS = {
    400: "A parameter or the body is missing, malformed or names what there is not.",
    401: "A token is needed, or it is not valid, where the gateway asks for one.",
    403: "The token, or the page's origin, may not.",
    404: "There is no such path, or what it names is not carried here.",
    405: "Another method than those in `Allow`.",
    406: "None of the accepted types is served.",
    413: "The body is too large.",
    429: "Too many requests, streams or downloads.",
    501: "The gateway was installed without what this needs.",
    503: "The gateway starts or stops, or what it needs is not there now.",
}
_FIELDS = {401: (CHALLENGE,), 405: (ALLOW,), 429: (RETRY_AFTER,), 503: (RETRY_AFTER,)}
ASKING = (401, 403, 405, 429, 503)
"""The refusals of all that asks who is asking."""


def problems(*statuses: int, headers: tuple[str, ...] = ()) -> tuple[Answer, ...]:
    """These refusals; `headers` are fields that all of them may have."""
    return tuple(
        Answer(
            each,
            _TEXTS[each],
            {PROBLEM: _REF},
            (*_FIELDS.get(each, ()), *headers),
            f"Problem{each}" + ("Simulated" if headers else ""),
        )
        for each in sorted(statuses)
    )
