"""Where the store is."""

import pytest

from fsnats.store.address import PostgresAddress, SqliteAddress, read_url


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("", "/state/fsnats.sqlite3"),
        ("sqlite:///var/lib/x.db", "/var/lib/x.db"),
        ("sqlite:////var/lib/x.db", "/var/lib/x.db"),
        ("sqlite:///a%20b", "/a b"),
    ],
)
def test_a_file_is_named_from_the_root_wherever_a_program_runs(url: str, path: str) -> None:
    address = read_url(url, "/state")
    assert address == SqliteAddress(path)
    assert address.name == f"sqlite://{path}"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://me:s3cret@db/market", "postgresql://db:5432/market"),
        ("postgres://me@db:6000/market?sslmode=require", "postgresql://db:6000/market"),
        ("postgresql://[::1]/market", "postgresql://[::1]:5432/market"),
        ("postgresql:///market?host=/run/postgresql&password=s3cret", "postgresql:///run/postgresql:5432/market"),
    ],
)
def test_a_servers_name_is_safe_to_show(url: str, name: str) -> None:
    address = read_url(url, "/state")
    assert isinstance(address, PostgresAddress)
    assert address.name == name
    assert address.url == url
    assert "s3cret" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///",
        "sqlite://s3cret/x",
        "sqlite:///x?s3cret=1",
        "mysql://me:s3cret@db/x",
        "postgresql://me:s3cret@db",
        "postgresql://me:s3cret@db/",
        "postgresql://me:s3cret/@db/x",
        "postgresql://me:s3cret@db:0/x",
        "postgresql://me:s3cret@db:port/x",
        "postgresql://me:s3cret#@db/x",
        "postgresql:///x",
        "s3cret",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the URL ") as caught:
        read_url(url, "/state")
    assert "s3cret" not in str(caught.value)
