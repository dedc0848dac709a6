"""Whose address a connection has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission.addresses import Proxies, neighbourhood

TRUSTED = Proxies(["10.0.0.0/8", "127.0.0.1", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", ["1.2.3.4"], "203.0.113.9"),  # it may say what it likes
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),  # what a client sends itself is further left
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4, 10.9.9.9"], "1.2.3.4"),
        ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        ("127.0.0.1", ["1.2.3.4:5678"], "1.2.3.4"),
        ("127.0.0.1", ["[2001:db8::1]:5678"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("fd00::1", ["1.2.3.4, unknown"], "fd00::1"),
        ("10.0.0.1", ["1.2.3.4, unknown, 10.3.3.3"], "10.3.3.3"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("", ["1.2.3.4"], ""),
    ],
)
def test_the_right_most_address_that_is_not_trusted_is_the_client(peer: str, forwarded: list[str], client: str) -> None:
    assert TRUSTED.client(peer, forwarded) == client


@given(st.text(max_size=20), st.lists(st.text(max_size=40), max_size=3))
def test_without_trusted_proxies_nothing_that_is_said_counts(peer: str, forwarded: list[str]) -> None:
    assert Proxies([]).client(peer, forwarded) == peer


@given(st.lists(st.text(max_size=40) | st.ip_addresses().map(str), max_size=4))
def test_whatever_is_forwarded_an_address_comes_out(forwarded: list[str]) -> None:
    assert neighbourhood(TRUSTED.client("10.0.0.1", forwarded))


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("", ""),
        ("no:address:at:all", "no:address:at:all"),
    ],
)
def test_one_subscriber_is_one_neighbourhood(address: str, counted: str) -> None:
    assert neighbourhood(address) == counted
