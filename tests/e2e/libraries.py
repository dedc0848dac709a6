"""Unmodified client libraries, each used by a script of its own in a process of its own."""

import json
import sys
from pathlib import Path
from typing import Any

from tests.e2e.client import until
from tests.e2e.fleet import Fleet

SCRIPTS = Path(__file__).parent / "clients"


async def use(fleet: Fleet, script: str, within: float = 60.0) -> dict[str, list[Any]]:
    """Run a script against the fleet until it ends well; returns what it received, by what it calls it."""
    base = f"127.0.0.1:{fleet.gateway_port}"
    with fleet.beside(sys.executable, "-P", str(SCRIPTS / script), base) as client:
        await until(lambda: client.status is not None, f"{script} ends; it said {client.said()[-2000:]}", within)
        assert client.status == 0, client.said()[-5000:]
        received: dict[str, list[Any]] = {}
        for line in client.said().splitlines():
            if line.startswith('{"what"'):
                shown = json.loads(line)
                received.setdefault(shown["what"], []).append(shown["value"])
        return received
