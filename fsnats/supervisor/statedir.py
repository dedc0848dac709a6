"""The state directory: who holds it, and where its bus is (`fsnats.rendezvous` is the reader's side)."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.rendezvous import METRICS_FILE, STORE_FILE, URL_FILE

LOCK = "supervisor.lock"
_SETTING = "FSNATS_STATE_DIR"


def state_directory(config: Config) -> Path:
    """The state directory, made if need be.  Raises ConfigError."""
    if not config.state_dir:
        raise ConfigError(_SETTING, "a directory is wanted")
    path = Path(config.state_dir).absolute()
    try:
        # For its owner alone: whoever can write here can speak for our children.
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(_SETTING, f"'{path}' cannot be made: {error.strerror}") from error
    return path


@contextmanager
def sole_supervisor(directory: Path) -> Iterator[None]:
    """Hold the state directory's lock, which the kernel lets go of however we end.  Raises ConfigError if it is held.

    Two supervisors would keep the same catalogue and run two servers on the same store.
    """
    try:
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(_SETTING, f"'{directory}' cannot be used: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(lock, 20).decode(errors="replace").strip()
            raise ConfigError(_SETTING, f"another supervisor (pid {pid}) runs on '{directory}'") from None
        os.truncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        # Left by one that was killed; nobody is to be sent to a bus that is gone.
        for name in (URL_FILE, STORE_FILE, METRICS_FILE):
            (directory / name).unlink(missing_ok=True)
        yield
    finally:
        os.close(lock)


def run_directory(directory: Path) -> Path:
    """Where children's sockets are: made if need be, and without those that were left by children that were killed."""
    path = directory / "run"
    path.mkdir(mode=0o700, exist_ok=True)
    for socket in path.glob("*.sock"):
        socket.unlink(missing_ok=True)
    return path


@contextmanager
def published_url(directory: Path, url: str, name: str = URL_FILE) -> Iterator[None]:
    """Let other commands of this state directory find the bus, or what else has that name, at `url`."""
    path = directory / name
    draft = directory / f"{name}.new"
    draft.write_text(f"{url}\n")
    draft.replace(path)  # whoever reads it meanwhile gets all or nothing
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
