import pytest

from gateway.rest.accepted import takes_gzip, varying, weights


def test_each_member_has_its_weight() -> None:
    assert weights(["Text/CSV;q=0.5, */*;level=1;q=0", "a;q=much"]) == [
        ("text/csv", 0.5),
        ("*/*", 0.0),
        ("a", 0.0),
    ]
    assert weights(["a ; q=0.1,b"]) == [("a", 0.1), ("b", 1.0)]


@pytest.mark.parametrize("values", [["gzip"], ["GZIP"], ["br, gzip;q=0.5"], ["br", "deflate ,gzip ; q=1"]])
def test_who_takes_gzip_gets_it(values: list[str]) -> None:
    assert takes_gzip(values)


@pytest.mark.parametrize("values", [[], [""], ["identity"], ["gzip;q=0"], ["gzip; q=0.000, br"], ["*"], ["not-gzip"]])
def test_who_does_not_take_gzip_does_not_get_it(values: list[str]) -> None:
    assert not takes_gzip(values)


def test_caches_are_told_besides_what_they_know() -> None:
    assert varying({}) == {"vary": "accept-encoding"}
    assert varying({"a": "b", "vary": "origin"}) == {"a": "b", "vary": "origin, accept-encoding"}
