import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.captures.lines import Spelling, decode, message_of
from fsnats.frames import GAP, LATE, RECOVERED, VERSION, Frame

NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=["Cc", "Cs"]), min_size=1),
    min_size=1,
    max_size=3,
).map("@".join)


def frame(payload: bytes, flags: int = 0, received_ns: int = 1_700_000_000_123_456_789) -> Frame:
    return Frame(VERSION, "btcusdt@trade", received_ns, 7, 42, flags, payload, received_ns + 5)


@given(
    st.sampled_from(Market),
    NAMES.filter(lambda name: all(name.split("@"))),
    st.binary() | st.text().map(str.encode),
    st.sampled_from([0, RECOVERED, RECOVERED | LATE, GAP]),
    st.integers(10**18, 4 * 10**18),  # 2001 to 2096
)
def test_a_line_gives_back_every_byte_and_when_it_came(
    market: Market, stream: str, payload: bytes, flags: int, received_ns: int
) -> None:
    line = Spelling(market, stream).line(frame(payload, flags, received_ns))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    row = decode(line)
    assert (row.epoch, row.seq, row.flags) == (7, 42, flags)
    found = message_of(row)
    assert found is not None
    assert (found.market, found.stream, found.data) == (market, stream, payload)
    assert (found.received_ns, found.flags, found.is_gap) == (received_ns, flags, bool(flags & GAP))


def test_a_line_is_what_the_recordings_of_others_look_like() -> None:
    assert json.loads(Spelling(Market.SPOT, "btcusdt@trade").line(frame(b'{"p":"1.50"}'))) == {
        "t": 1_700_000_000.123456789,
        "t_raw": "1700000000123456789",
        "market": "spot",
        "kind": "ws",
        "url": "nats:fsnats.spot.btcusdt.trade",
        "epoch": 7,
        "seq": 42,
        "flags": 0,
        "raw": '{"stream":"btcusdt@trade","data":{"p":"1.50"}}',
    }


def test_a_notice_is_no_message_for_those_who_know_only_messages() -> None:
    assert json.loads(Spelling(Market.SPOT, "btcusdt@trade").line(frame(b'{"e":"gap"}', GAP)))["kind"] == "gap"


@pytest.mark.parametrize(
    ("t", "t_raw", "received_ns"),
    [
        (1723161256.1722167, "1723161256172216566", 1723161256172216566),  # ns, as one recorder logged it
        (1618677479.299157, "1618677479.299157", 1618677479299157000),  # s, as another did
        (1618677479.299157, "1618677479299157", 1618677479299157000),  # µs
        (1618677479.299, "1618677479299", 1618677479299000000),  # ms
        (1618677479.25, "yesterday", 1618677479250000000),
        (1618677479.25, "12", 1618677479250000000),
        (1618677479.25, "", 1618677479250000000),
    ],
)
def test_the_unit_of_the_time_as_it_was_noted_is_found(t: float, t_raw: str, received_ns: int) -> None:
    row = decode(json.dumps({"t": t, "t_raw": t_raw, "market": "spot", "kind": "ws"}).encode())
    assert row.received_ns == received_ns


@pytest.mark.parametrize(
    "fields",
    [{"kind": "rest", "raw": '{"stream":"a@trade","data":1}'}, {"raw": None}, {"raw": '{"e":"trade"}'}, {"raw": ""}],
)
def test_what_is_no_message_of_a_stream_is_none(fields: dict[str, Any]) -> None:
    assert message_of(decode(json.dumps({"t": 1, "market": "spot", "kind": "ws", **fields}).encode())) is None
