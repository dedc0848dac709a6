import pytest

from fsnats.exits.address import DIRECT, ENVIRONMENT, Exit, named_apart, read_exit, read_pool


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        ("direct", "direct", None),
        ("socks5://h", "socks5://h:1080", "socks5://h:1080"),
        ("socks5h://me:p%40s%2Fs@h:1", "socks5h://h:1", "socks5h://me:p%40s%2Fs@h:1"),
        ("http://h/", "http://h:80", "http://h:80"),
        ("https://u@h", "https://h:443", "https://u:@h:443"),
        ("http://me:p@ss:w@h:3128", "http://h:3128", "http://me:p%40ss%3Aw@h:3128"),
        ("socks5h://[::1]:9", "socks5h://[::1]:9", "socks5h://[::1]:9"),
    ],
)
def test_an_exit_has_a_name_to_show_and_a_url_to_use(text: str, name: str, url: str | None) -> None:
    assert read_exit(text) == Exit(name, url)


@pytest.mark.parametrize(
    "text",
    ["h:1", "ftp://me:secret@h", "http://", "http://me:secret@h:0", "http://me:secret@h:99999", "http://me:secret/x@h"],
)
def test_what_is_no_exit_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError) as failure:
        read_exit(text)

    assert "secret" not in str(failure.value)


def test_an_exit_never_shows_its_password() -> None:
    one = read_exit("http://me:secret@h:1")

    assert repr(one) == "Exit('http://h:1')"
    assert "secret" not in f"{one} {[one]}"


def test_a_pool_is_a_list_in_order() -> None:
    assert read_pool(" direct, socks5h://h ,env,") == [DIRECT, read_exit("socks5h://h"), ENVIRONMENT]
    assert read_pool("") == [DIRECT]
    with pytest.raises(ValueError, match="twice"):
        read_pool("direct,socks5://h,direct")


def test_users_of_one_proxy_are_exits_of_their_own() -> None:
    # Proxies that rotate addresses choose by the user.
    one, other = read_exit("http://a:x@h:1"), read_exit("http://b:x@h:1")

    assert [exit.name for exit in named_apart([one, DIRECT, other, one])] == ["http://h:1", "direct", "http://h:1 #2"]
