"""A real PostgreSQL server for tests, in a directory of its own, from the programs that Debian's package installs."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

PASSWORD = "s3cr,et"  # with a comma, which other settings would cut at
_USER = "postgres"  # PostgreSQL refuses to run as root; the package makes this user


def installed() -> Path | None:
    """Where PostgreSQL's programs lie, if they are there."""
    found = shutil.which("postgres")
    folders = (
        [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    return next((folder for folder in folders if (folder / "initdb").is_file()), None)


def programs() -> Path:
    """The same for tests; the test is skipped where they are missing, failed where CI misses them."""
    folder = installed()
    if folder is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs PostgreSQL")
        pytest.skip("PostgreSQL is not installed")
    return folder


class PostgresServer:
    """One server on a free port of the loopback.  Nothing is synced: what it holds dies with the machine."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        if folder.is_dir():
            return  # another one before us made it
        folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(folder, _USER, _USER)
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        subprocess.run(
            self._command(
                *("initdb", "-D", f"{folder}/data", "-U", "fsnats", "--auth=scram-sha-256", f"--pwfile={password}"),
                *("--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            ),
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            user = ["--reuid", _USER, "--regid", _USER, "--clear-groups"]
            return ["setpriv", *user, "--pdeathsig", "KILL", *command]
        return command

    def start(self) -> None:
        """Start it, and return when it answers."""
        settings = ("fsync=off", "listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}")
        flags = [part for setting in settings for part in ("-c", setting)]
        log = (self._folder / "log").open("ab")
        command = self._command("postgres", "-D", f"{self._folder}/data", "-p", str(self.port), *flags)
        self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        log.close()
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode != 0:
            assert self._process.poll() is None, (self._folder / "log").read_text()

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End it at once; what was committed is found again when it starts."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def cpu(self) -> float:
        """Seconds that the server's processes have taken."""
        assert self._process is not None
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = stat.read_text().rpartition(")")[2].split()
                if stat.parent.name == str(self._process.pid):
                    ticks += sum(map(int, fields[11:15]))  # with those of its children that ended
                elif fields[1] == str(self._process.pid):
                    ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def url(self, database: str, *, password: str = PASSWORD) -> str:
        return f"postgresql://fsnats:{password}@127.0.0.1:{self.port}/{database}"

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """What psql says to statements."""
        command = [str(self._programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.url(database)]
        arguments: Sequence[str] = [part for statement in statements for part in ("-c", statement)]
        return subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    def emptied(self) -> str:
        """The URL of a database without our tables and without anybody in it.  (A new one takes seconds to go.)"""
        others = "FROM pg_stat_activity WHERE datname = 'emptied' AND pid <> pg_backend_pid()"
        if not self.sql("SELECT 1 FROM pg_database WHERE datname = 'emptied'"):
            self.sql("CREATE DATABASE emptied")
        self.sql(
            f"SELECT pg_terminate_backend(pid) {others}", "DROP SCHEMA IF EXISTS fsnats CASCADE", database="emptied"
        )
        return self.url("emptied")

    @property
    def runs(self) -> bool:
        return self._process is not None

    def new_database(self) -> str:
        """The name of an empty database."""
        name = f"test{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return name


@contextlib.contextmanager
def running() -> Iterator[PostgresServer]:
    """A server that runs."""
    found = programs()
    # Not below pytest's folder: that is closed to the user who the server runs as.
    with TemporaryDirectory(prefix="fsnats-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(Path(folder) / "server", found)
        server.start()
        try:
            yield server
        finally:
            server.stop()
