"""nats.conf, as nats-server reads it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fsnats.config import Config
from fsnats.supervisor import natsd
from tests.deploy.conftest import DEPLOY


def test_nats_server_accepts_it() -> None:
    server = shutil.which("nats-server", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert server is not None, "it is one of our dependencies"
    tested = subprocess.run(
        [server, "-t", "-c", str(DEPLOY / "nats.conf")], capture_output=True, text=True, timeout=60, check=False
    )
    assert tested.returncode == 0, tested.stderr


@pytest.mark.parametrize("file", ["systemd/fsnats-nats.service", "compose.yaml"])
def test_its_garbage_is_limited_as_the_embedded_servers_is(file: str) -> None:
    found = re.search(r"GOMEMLIMIT(?:=|: )(\d+)MiB", (DEPLOY / file).read_text())

    assert found
    assert int(found[1]) * 1024**2 == natsd.memory_limit(Config().replay_mb * 1024**2)


@pytest.mark.parametrize(
    ("setting", "bytes_"),
    [
        ("max_payload: 8MB", natsd.MAX_PAYLOAD),
        ("max_memory_store: 512MB", natsd.MEMORY_STORE + Config().replay_mb * 1024**2),
        ("max_file_store: 1GB", natsd.FILE_STORE),
    ],
)
def test_its_limits_are_those_of_the_embedded_server(setting: str, bytes_: int) -> None:
    assert setting in (DEPLOY / "nats.conf").read_text()
    number, unit = setting.split()[-1][:-2], setting[-2:]
    assert int(number) * {"MB": 1024**2, "GB": 1024**3}[unit] == bytes_
