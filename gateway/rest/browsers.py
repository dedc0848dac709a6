"""What browsers ask and want to be told before a page of another origin may read: CORS.  Pure.

Source: the Fetch standard; Private Network Access for pages of the internet that read from a gateway at home.
"""

import re
from collections.abc import Collection

from fsnats.binance.endpoints import AGE_HEADER, SIMULATED_HEADER, SOURCE_HEADER, WEIGHT_HEADER
from gateway.admission.door import Headers, bare
from gateway.rest.ranges import COMPLETE_HEADER, MISSING_HEADER

METHODS = "GET, HEAD, OPTIONS"
_READABLE = ", ".join(
    (
        WEIGHT_HEADER,
        WEIGHT_HEADER.removesuffix("-1m"),
        "retry-after",
        SIMULATED_HEADER,
        SOURCE_HEADER,
        AGE_HEADER,
        COMPLETE_HEADER,
        MISSING_HEADER,
    )
)
_DAY = "86400"  # seconds for which a browser need not ask again; it has limits of its own below that
_NAMES = re.compile(r"[\w!#$%&'*+.^`|~, -]{1,1000}", re.ASCII)


def shared_with(headers: Headers, origins: Collection[str]) -> dict[str, str]:
    """The fields that let a page read an answer; `origins` are those that may, empty: all."""
    fields = {"access-control-expose-headers": _READABLE}
    if not origins:
        return fields | {"access-control-allow-origin": "*"}
    asking = headers.get_all("Origin")[:1]
    if asking and bare(asking[0]) in map(bare, origins):
        fields["access-control-allow-origin"] = asking[0]
    return fields | {"vary": "origin"}  # the answer for another page has another field


def preflight(headers: Headers, origins: Collection[str], methods: str = METHODS) -> dict[str, str]:
    """The fields that answer OPTIONS: what may be asked, and with which header fields."""
    fields = shared_with(headers, origins) | {
        "allow": methods,
        "access-control-allow-methods": methods,
        "access-control-max-age": _DAY,
    }
    # Whatever fields a client library sends: those that mean something here are read, the others are not looked at.
    wanted = ", ".join(headers.get_all("Access-Control-Request-Headers"))
    if _NAMES.fullmatch(wanted):
        fields["access-control-allow-headers"] = wanted
    if headers.get_all("Access-Control-Request-Private-Network") == ["true"]:
        fields["access-control-allow-private-network"] = "true"
    return fields
