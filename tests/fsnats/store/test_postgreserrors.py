"""What goes wrong with PostgreSQL is said in our own words.  (Real servers: `test_postgres`.)"""

import asyncpg
import pytest

from fsnats.errors import ConfigError, StoreUnavailable, Unusable
from fsnats.store.postgreserrors import translating

NAME = "postgresql://db:5432/market"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (asyncpg.DiskFullError("s3cret"), "the server's disk is full"),
        (asyncpg.TooManyConnectionsError("s3cret"), "no connection left"),
        (asyncpg.CannotConnectNowError("s3cret"), "starting or stopping"),
        (asyncpg.DataCorruptedError("s3cret"), "files are damaged"),
        (asyncpg.ConnectionDoesNotExistError("s3cret"), "the connection was lost"),
        (asyncpg.InterfaceError("the underlying connection is closed"), "the connection was lost"),
        (asyncpg.InternalClientError("s3cret"), "the connection was lost"),
        (TimeoutError(), "does not answer"),
        (ConnectionRefusedError(111, "s3cret"), "no server listens there"),
        (OSError(113, "No route to host"), "cannot be reached (No route to host)"),
    ],
)
@pytest.mark.parametrize("opening", [False, True])
def test_what_waiting_may_heal_is_an_outage(error: Exception, said: str, opening: bool) -> None:
    with pytest.raises(StoreUnavailable) as caught, translating(NAME, opening=opening):
        raise error
    assert str(caught.value).startswith(f"FSNATS_STORE_URL: {NAME}: ")
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("error", [asyncpg.InvalidPasswordError("s3cret"), asyncpg.InvalidCatalogNameError("s3cret")])
def test_what_the_user_has_to_heal_ends_the_start_and_is_an_outage_later(error: Exception) -> None:
    for opening, expected in ((True, ConfigError), (False, StoreUnavailable)):
        with pytest.raises(expected) as caught, translating(NAME, opening=opening):
            raise error
        assert "s3cret" not in str(caught.value)


def test_a_number_that_does_not_fit_is_the_callers_fault() -> None:
    with pytest.raises(Unusable, match="64 bits"), translating(NAME):
        raise asyncpg.NumericValueOutOfRangeError("bigint out of range")


@pytest.mark.parametrize("error", [asyncpg.UniqueViolationError("x"), asyncpg.InterfaceError("another operation")])
def test_a_mistake_of_ours_stays_one(error: Exception) -> None:
    with pytest.raises(type(error)), translating(NAME):
        raise error
