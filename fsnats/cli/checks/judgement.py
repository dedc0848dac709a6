"""What the exchange's answers mean.  Pure."""

import msgspec

from fsnats.binance.streams import Market
from fsnats.cli.checks.finding import Section, Trouble
from fsnats.errors import UNREADABLE
from fsnats.offset import measured

# Reference: Binance's documentation of HTTP return codes; 451 and 403 also answer WebSocket handshakes.
_STATUSES = {
    403: ("its firewall refuses this exit (too many requests, or a pattern it dislikes)", "wait minutes, then less"),
    404: ("there is nothing at this address", "check the base URL of this market: `fsnats config`"),
    407: ("a proxy wants a user and a password", "set `proxy` (FSNATS_PROXY)"),
    418: (
        "it has banned this exit for ignoring 429",
        "stop every program that uses this exit until the time has passed",
    ),
    429: ("too many requests from this exit", "wait as long as it says, then ask less"),
    451: (
        "it does not serve this exit's location",
        "set `proxy` (FSNATS_PROXY) to an exit in a place that it serves; waiting does not help",
    ),
}


def judge_status(status: int, headers: dict[bytes, bytes], body: bytes, stage: str = "HTTP") -> None:
    """Raise Trouble for a status that is no success, in words, with what to do."""
    if status in (101, 200):
        return
    meaning, advice = _STATUSES.get(
        status,
        ("the exchange is in trouble", "try again later")
        if status >= 500
        else ("it refuses", "is the base URL right, and is it the exchange that answers?"),
    )
    after = headers.get(b"retry-after", b"").decode(errors="replace")
    wait = f"; it asks to stay away for {after} s" if after.isdigit() else ""
    raise Trouble(stage, f"HTTP {status}: {meaning}{wait}{_said(body)}", advice)


class _Failure(msgspec.Struct):
    msg: str


def _said(body: bytes) -> str:
    """The exchange's own sentence.  Bodies may be HTML: nothing is repeated of those."""
    try:
        return f" ({msgspec.json.decode(body, type=_Failure).msg[:200]})"
    except UNREADABLE:
        return ""


class _Time(msgspec.Struct):
    serverTime: int


def judge_clock(section: Section, market: Market, body: bytes, sent_ns: int, received_ns: int) -> None:
    """Compare the exchange's clock with ours, by one question.  Raises Trouble for a reply that is no time."""
    try:
        theirs = msgspec.json.decode(body, type=_Time).serverTime
    except UNREADABLE as error:
        raise Trouble(
            "HTTP", "the answer is not the exchange's", "a captive portal or a wrong base URL answers instead"
        ) from error
    offset = measured(market, sent_ns, theirs, received_ns)
    if offset.misleads:
        section.note("clock", str(offset), "ages and delays will mislead: synchronise it (NTP)")
    else:
        section.good("clock", str(offset))
