"""The limit is this process's own: what is raised here is put back."""

import resource
from collections.abc import Iterator

import pytest

from fsnats.descriptors import MOST, SPARE, raise_limit, room


@pytest.fixture(autouse=True)
def _unchanged() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    assert raise_limit() == (MOST if hard == resource.RLIM_INFINITY else hard)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == raise_limit()


@pytest.mark.parametrize("error", [OSError(1, "Operation not permitted"), ValueError("current limit exceeds maximum")])
def test_where_it_cannot_be_raised_it_stays(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def forbidden(what: int, limits: tuple[int, int]) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("resource.getrlimit", lambda _: (512, 4096))
        patch.setattr("resource.setrlimit", forbidden)
        assert raise_limit() == 512


def test_no_limit_is_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("resource.getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert raise_limit() == MOST


def test_some_files_are_left_for_what_is_no_client() -> None:
    assert room(20_000) == 20_000 - SPARE
    assert room(64) == 48
    assert room(1) == 1
