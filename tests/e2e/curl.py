"""Real curl, run with the lines of documents."""

import json
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def lines_in(block: str) -> list[str]:
    """The curl commands of a block, those of several lines too."""
    joined = re.sub(r"\\\n\s*", "", block)
    return [line for line in joined.splitlines() if line.startswith("curl ")]


def others_in(block: str) -> list[str]:
    """What else stands in it, but for comments."""
    joined = re.sub(r"\\\n\s*", "", block)
    return [line for line in joined.splitlines() if line and not line.startswith(("curl ", "#"))]


def curl(directory: Path, line: str) -> tuple[int, Any]:
    """Run a line as it stands; returns the status and what the JSON of the answer says."""
    # What the line itself does not say: no bar of progress, no proxy of this machine, and the status behind the answer.
    (directory / ".curlrc").write_text('silent\nnoproxy = "*"\nwrite-out = "\\n%{http_code}"\n')
    environ = {"PATH": os.environ["PATH"], "CURL_HOME": str(directory), "HOME": str(directory)}
    done = subprocess.run(["bash", "-c", line], env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def answers(directory: Path, lines: Iterable[str]) -> list[Any]:
    """What lines are answered, one after the other; each with 200."""
    told = [curl(directory, line) for line in lines]
    assert {status for status, _ in told} <= {200}, told
    return [body for _, body in told]
