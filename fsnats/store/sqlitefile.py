"""A SQLite file: its connections, its tables, and what goes wrong with it said in a sentence.  Blocks; no asyncio."""

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from fsnats.errors import ConfigError, StoreUnavailable, Unusable
from fsnats.store import Source
from fsnats.store.address import SqliteAddress
from fsnats.store.migrations import SETTING, due, migrations
from fsnats.store.provenance import require

logger = logging.getLogger(__name__)

_WRITER_CACHE = 32 * 1024  # KiB
_READER_CACHE = 8 * 1024  # KiB, for each of a few readers
_WAL_LEFT = 64 * 1024**2  # bytes that the log may keep when it is not needed
# After these even the same file is opened anew: somebody may have put a copy in its place.
_DOUBTFUL = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR)
_WAITING_IS_NO_USE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)


class Replaced(StoreUnavailable):
    """The file is not the one that was opened: `reopen` it."""


class SqliteFile:
    """Connections to one file: one that writes, and one for each thread that reads.

    `patience` is how many seconds another program may keep the file locked.
    """

    def __init__(self, address: SqliteAddress, patience: float) -> None:
        self.name = address.name
        self._path = Path(address.path)
        self._patience = patience
        self._writer: sqlite3.Connection | None = None
        self._readers = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._source: Source | None = None
        self._inode = 0
        self._opening = 0  # which one it is

    def open(self) -> None:
        """Make the file and its tables where they are missing.

        Raises ConfigError for what waiting cannot heal, StoreUnavailable for the rest.
        """
        try:
            with self._translating():
                self._writer = self._open_writer()
        except StoreUnavailable as error:
            cause = error.__cause__
            if isinstance(cause, sqlite3.Error) and _code(cause) in _WAITING_IS_NO_USE:
                raise ConfigError(SETTING, str(error).removeprefix(f"{SETTING}: ")) from cause
            raise

    def claim(self, source: Source) -> None:
        """Say whose data is kept in the file, and in any other that may come in its place.  Raises ConfigError."""
        self._source = source
        with self.writing() as writer:
            self._check_source(writer)

    def _check_source(self, writer: sqlite3.Connection) -> None:
        if self._source is not None:
            writer.execute("INSERT INTO provenance VALUES (1, ?) ON CONFLICT DO NOTHING", (self._source,))
            (kept,) = writer.execute("SELECT source FROM provenance").fetchone()
            require(self._source, kept, self.name)

    def reopen(self) -> None:
        """Open the file anew if it was removed, replaced or found damaged; from the thread that writes."""
        with self._translating():
            self._writer_of_now()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction of the one connection that writes; only ever from one thread."""
        with self._translating():
            writer = self._writer_of_now()
            try:
                writer.execute("BEGIN IMMEDIATE")
                yield writer
                writer.execute("COMMIT")
            except BaseException:
                self._roll_back(writer)
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's own connection, for reading; everything in the block sees the same state of the file.

        Raises Replaced, with nothing done, where the file is another one.
        """
        with self._translating():
            if not self._is_there():
                raise Replaced(f"{SETTING}: {self.name}: the file was removed, replaced or damaged")
            reader: sqlite3.Connection | None
            reader, opening = getattr(self._readers, "connection", (None, 0))
            if reader is None or opening != self._opening:
                if reader is not None:
                    self._drop(reader)
                opening = self._opening  # before the file is: another one may come meanwhile
                reader = self._connect(_READER_CACHE)
                self._readers.connection = reader, opening
            reader.execute("BEGIN")
            try:
                yield reader
            finally:
                self._roll_back(reader)

    def close(self) -> None:
        """Close all connections; nobody may use them any more."""
        self._writer = None
        for connection in self._opened:
            with contextlib.suppress(sqlite3.Error):  # a checkpoint that does not go now goes at the next opening
                connection.close()
        self._opened.clear()

    def _open_writer(self) -> sqlite3.Connection:
        connection = self._connect(_WRITER_CACHE)
        try:
            self._use_log(connection)
            self._migrate(connection)
            self._check_source(connection)
        except BaseException:
            self._opened.remove(connection)
            connection.close()
            raise
        self._inode = self._path.stat().st_ino
        self._opening += 1
        return connection

    def _connect(self, cache: int) -> sqlite3.Connection:
        # Reading, too, needs a connection that may write: the log's index is shared memory.
        connection = sqlite3.connect(
            self._path, timeout=self._patience, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._opened.append(connection)
        connection.execute(f"PRAGMA cache_size = -{cache}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LEFT}")
        # What was committed is acknowledged upstream: it must also survive the machine's end.
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _use_log(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as error:
                # Two programs that turn a new file to WAL at once: SQLite does not wait for this lock by itself.
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                break
        if mode != "wal":
            raise ConfigError(SETTING, f"{self.name}: no write-ahead log is possible there (a network file system?)")

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                "applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"
            )
            applied = connection.execute("SELECT number, name FROM migrations").fetchall()
            for migration in due(migrations("sqlite"), applied, self.name):
                for statement in migration.statements:
                    connection.execute(statement)
                connection.execute(
                    "INSERT INTO migrations (number, name) VALUES (?, ?)", (migration.number, migration.name)
                )
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise

    def _is_there(self) -> bool:
        # A file that was removed or replaced can still be written, and nobody would ever read it.
        try:
            return self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def _writer_of_now(self) -> sqlite3.Connection:
        if self._writer is not None and not self._is_there():
            logger.warning(
                "the store's file was removed, replaced or damaged; opening it anew",
                extra={"event": "store.reopened", "store": self.name},
            )
            self._drop(self._writer)
            self._writer = None
        if self._writer is None:
            self._writer = self._open_writer()
        return self._writer

    def _drop(self, connection: sqlite3.Connection) -> None:
        self._opened.remove(connection)
        with contextlib.suppress(sqlite3.Error):  # a checkpoint that nobody can read any more
            connection.close()

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # SQLite itself did, where the disk is full or gone
                connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except OverflowError as error:
            raise Unusable(f"{self.name}: a whole number beyond 64 bits") from error
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # our own mistake
        except sqlite3.DatabaseError as error:
            if _code(error) in _DOUBTFUL:
                self._inode = 0
            raise StoreUnavailable(f"{SETTING}: {self.name}: {self._sentence(error)}") from error
        except OSError as error:
            raise StoreUnavailable(f"{SETTING}: {self.name}: {os.strerror(error.errno or 0)}") from error

    def _sentence(self, error: sqlite3.Error) -> str:
        match _code(error):
            case sqlite3.SQLITE_FULL:
                return "the disk is full"
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
                return "the file or its directory cannot be written"
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return f"another program kept it locked for {self._patience:g} s"
            case sqlite3.SQLITE_CORRUPT:
                return "the file is damaged; put a copy in its place, or move it away to begin anew"
            case sqlite3.SQLITE_NOTADB:
                return "the file is not a SQLite database"
            case sqlite3.SQLITE_CANTOPEN:
                return "the file cannot be opened or made; is its directory there, and may we write in it?"
            case sqlite3.SQLITE_IOERR:
                return f"the disk failed ({error})"
        return str(error)


def _code(error: sqlite3.Error) -> int:
    """The primary result code: the extended ones say more than anybody can act on."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
