"""What pages of other origins may read."""

from websockets.datastructures import Headers

from gateway.rest.browsers import preflight, shared_with

PAGE = "https://app.example.com"
OTHERS = "https://evil.example.com"


def test_every_page_may_read_where_no_origins_are_named() -> None:
    for headers in (Headers(), Headers(Origin=OTHERS)):
        fields = shared_with(headers, ())
        assert fields["access-control-allow-origin"] == "*"
        assert "vary" not in fields


def test_only_pages_of_the_named_origins_may_read() -> None:
    mine = shared_with(Headers(Origin=PAGE), ("https://APP.example.com/",))
    theirs = shared_with(Headers(Origin=OTHERS), (PAGE,))
    assert mine["access-control-allow-origin"] == PAGE
    assert "access-control-allow-origin" not in theirs
    assert mine["vary"] == theirs["vary"] == "origin"


def test_a_page_can_see_what_it_cost_and_where_it_came_from() -> None:
    shown = shared_with(Headers(), ())["access-control-expose-headers"]
    assert "x-mbx-used-weight-1m" in shown
    assert "x-fsnats-source" in shown
    assert "retry-after" in shown
    assert "x-fsnats-complete, x-fsnats-missing" in shown  # a file has no other place to say so


def test_a_preflight_allows_reading_with_whatever_fields_a_client_sends() -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    fields = preflight(Headers(asked | {"Access-Control-Request-Headers": "authorization,x-mbx-apikey"}), ())
    assert fields["access-control-allow-headers"] == "authorization,x-mbx-apikey"
    assert fields["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert "access-control-allow-private-network" not in fields


def test_what_is_no_list_of_names_is_not_given_back() -> None:
    fields = preflight(Headers({"Access-Control-Request-Headers": "x\u00e9: y"}), ())
    assert "access-control-allow-headers" not in fields


def test_a_page_of_the_internet_may_read_at_home_if_its_browser_asks() -> None:
    fields = preflight(Headers({"Access-Control-Request-Private-Network": "true"}), ())
    assert fields["access-control-allow-private-network"] == "true"
