"""Unmodified client libraries, each used by a script of its own in a process of its own."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import until
from tests.e2e.fleet import Fleet, clean_environment

SCRIPTS = Path(__file__).parent / "clients"
NODE = Path(__file__).parent / "node"


def missing(what: str) -> None:
    """Skip the test, but not in CI, which must have everything."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def node_program() -> str:
    """The node program, with what package.json names installed for it."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        missing("no node and npm")
    package = NODE / "package.json"
    with package.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # tests may run in several processes
        if not all((NODE / "node_modules" / name).is_dir() for name in json.load(held)["dependencies"]):
            install = [str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(install, cwd=NODE, env=clean_environment(), check=True)
    return str(program)


async def use(fleet: Fleet, script: str, within: float = 60.0, node: str = "") -> dict[str, list[Any]]:
    """Run a script against the fleet until it ends well; returns what it received, by what it calls it.

    A script in JavaScript needs the `node` program.
    """
    base = f"127.0.0.1:{fleet.gateway_port}"
    argv = [node] if node else [sys.executable, "-P"]
    with fleet.beside(*argv, str(SCRIPTS / script), base, NODE_PATH=str(NODE / "node_modules")) as client:
        await until(lambda: client.status is not None, f"{script} ends; it said {client.said()[-2000:]}", within)
        assert client.status == 0, client.said()[-5000:]
        received: dict[str, list[Any]] = {}
        for line in client.said().splitlines():
            if line.startswith('{"what"'):
                shown = json.loads(line)
                received.setdefault(shown["what"], []).append(shown["value"])
        return received
