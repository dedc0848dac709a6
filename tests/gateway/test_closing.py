"""The table of close codes."""

import pytest

from gateway.closing import CLOSINGS, SLOW_CONSUMER, Closing

SENDABLE = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013}


@pytest.mark.parametrize("closing", CLOSINGS, ids=lambda closing: closing.reason)
def test_code_may_be_sent_in_a_close_frame(closing: Closing) -> None:
    assert closing.code in SENDABLE or 4000 <= closing.code <= 4999


@pytest.mark.parametrize("closing", CLOSINGS, ids=lambda closing: closing.reason)
def test_reason_fits_a_control_frame(closing: Closing) -> None:
    assert 0 < len(closing.reason.encode()) <= 123


def test_code_and_reason_name_one_closing() -> None:
    assert len({(closing.code, closing.reason) for closing in CLOSINGS}) == len(CLOSINGS)


def test_binance_texts_are_spelled_as_clients_match_them() -> None:
    assert {c.reason for c in CLOSINGS if c.code == 1008} == {"Invalid request", "Pong timeout", "Too many requests"}


def test_slow_client_is_told_to_come_back() -> None:
    assert (SLOW_CONSUMER.code, SLOW_CONSUMER.reconnect) == (4008, True)
