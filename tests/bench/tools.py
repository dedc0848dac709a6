"""The load tools: small C programs, compiled when they are needed, that answer each line of theirs with one of JSON."""

import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from tests.bench.processes import PEERS, BenchError, Process

_SOURCES = Path(__file__).parent / "load"
NAMES = ("feed", "tap", "clients", "storm", "sendloop")


def build(directory: Path) -> None:
    """Compile the tools into `directory`.  Raises BenchError."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise BenchError("no C compiler: the load tools need `cc` or `gcc` on PATH (Debian: apt-get install gcc)")
    for name in NAMES:
        command = [compiler, "-O2", "-o", str(directory / name), str(_SOURCES / f"{name}.c")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchError(f"{name}.c does not compile:\n{done.stderr}")


class Answer(msgspec.Struct):
    """What any of the tools may answer; each fills in its own part."""

    sent: int = 0
    late: int = 0  # times at which a message went out more than a millisecond behind its schedule
    seconds: float = 0.0
    frame_bytes: int = 0  # of one message as a client of the gateway gets it
    subscribed: int = 0
    frames: int = 0
    lost: int = 0
    repeated: int = 0
    bytes: int = 0
    closed: int = 0
    messages: int = 0
    opened: int = 0
    failed: int = 0
    p50: float = 0.0
    p99: float = 0.0
    p999: float = 0.0


_decode = msgspec.json.Decoder(Answer).decode


class Tool(Process):
    """A program that reads commands and answers them, a line each."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        directory: Path,
        environ: Mapping[str, str] | None = None,
        cores: Iterable[int] = PEERS,
    ) -> None:
        super().__init__(
            argv, directory=directory, environ=environ, cores=cores, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._rest = b""

    def ask(self, command: str, within: float = 60.0) -> Answer:
        """Send a command and return its answer."""
        self.say(command)
        return self.hear(within)

    def say(self, command: str) -> None:
        """Send a command."""
        assert self.stdin is not None
        try:
            self.stdin.write(command.encode() + b"\n")
            self.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None

    def hear(self, within: float = 60.0) -> Answer:
        """The next line it says."""
        assert self.stdout is not None
        deadline = time.monotonic() + within
        while b"\n" not in self._rest:
            if not select.select([self.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise BenchError(f"{self.name} did not answer within {within:g} s: {self.last_words()}")
            data = os.read(self.stdout.fileno(), 65536)
            if not data:
                raise self._failed()
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return _decode(line)

    def _failed(self) -> BenchError:
        return BenchError(f"{self.name} ended: {self.last_words()}")
