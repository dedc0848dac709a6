"""What goes wrong with PostgreSQL, said in a sentence without secrets."""

import contextlib
from collections.abc import Iterator

import asyncpg

from fsnats.errors import ConfigError, StoreUnavailable, Unusable
from fsnats.store.migrations import SETTING

# What only somebody who changes the setting or the server's users and databases can heal.
_FOR_THE_USER: dict[type[Exception], str] = {
    asyncpg.InvalidPasswordError: "the server refuses the user or the password",
    asyncpg.InvalidAuthorizationSpecificationError: "the server does not let this user in",
    asyncpg.InvalidCatalogNameError: "there is no such database; make it with createdb",
    asyncpg.InsufficientPrivilegeError: "the user may not make or write the tables; let it own the database",
}
# What is over after a while, or when somebody has looked after the server.
_FOR_A_WHILE: dict[type[Exception], str] = {
    asyncpg.DiskFullError: "the server's disk is full",
    asyncpg.ReadOnlySQLTransactionError: "the server only reads (a standby?)",
    asyncpg.TooManyConnectionsError: "the server has no connection left",
    asyncpg.CannotConnectNowError: "the server is starting or stopping",
    asyncpg.AdminShutdownError: "the server is stopping",
    asyncpg.CrashShutdownError: "the server crashed",
    asyncpg.DeadlockDetectedError: "another program writes the same rows",
    asyncpg.LockNotAvailableError: "another program keeps the tables locked",
    asyncpg.QueryCanceledError: "the server took too long",
    asyncpg.UndefinedTableError: "the tables are gone",
    asyncpg.DataCorruptedError: "the server's files are damaged",
    asyncpg.IndexCorruptedError: "the server's files are damaged",
    asyncpg.PostgresIOError: "the server's disk failed",
    asyncpg.OutOfMemoryError: "the server is out of memory",
    asyncpg.PostgresConnectionError: "the connection was lost",
    TimeoutError: "the server does not answer",
    ConnectionRefusedError: "no server listens there",
}


@contextlib.contextmanager
def translating(name: str, *, opening: bool = False) -> Iterator[None]:
    """Raise what is expected to go wrong as our own errors.

    What the user has to heal is a ConfigError when a store is opened.  Later it is as any other outage: what worked
    once may work again.
    """
    try:
        yield
    except asyncpg.DataError as error:
        if isinstance(error, asyncpg.NumericValueOutOfRangeError) or "range" in str(error):
            raise Unusable(f"{name}: a whole number beyond 64 bits") from error
        raise Unusable(f"{name}: {error}") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        said = _said(error, _FOR_THE_USER)
        if said is None and isinstance(error, asyncpg.ClientConfigurationError):
            said = "the URL's parameters cannot be used together"
        if said is not None and opening:
            raise ConfigError(SETTING, f"{name}: {said}") from error
        said = said or _said(error, _FOR_A_WHILE) or _otherwise(error)
        if said is None:
            raise
        raise StoreUnavailable(f"{SETTING}: {name}: {said}") from error


def _said(error: Exception, sentences: dict[type[Exception], str]) -> str | None:
    return next((sentence for kind, sentence in sentences.items() if isinstance(error, kind)), None)


def _otherwise(error: Exception) -> str | None:
    if isinstance(error, OSError):
        return f"the server cannot be reached ({error.strerror or type(error).__name__})"
    # asyncpg has no class of its own for what is done on a connection that the server ended meanwhile.
    if isinstance(error, asyncpg.InternalClientError) or (
        isinstance(error, asyncpg.InterfaceError) and "clos" in str(error)
    ):
        return "the connection was lost"
    return None
