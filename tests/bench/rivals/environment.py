"""Where the rivals live: a Python environment and a Node folder of their own, made when first needed."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.processes import BenchError

_ROOT = Path(__file__).parents[3]
_HOME = _ROOT / "build" / "rivals"
_PYTHON = ("starlette==1.10.0", "uvicorn==0.54.0", "websockets==17.4", "uvloop==0.23.0", "socketify==0.0.31")
_NODE = _ROOT / "tests" / "e2e" / "node"  # pins ws


def python() -> str:
    """The interpreter that has the Python rivals.  Raises BenchError."""
    home = _HOME / "python"
    interpreter = home / "bin" / "python"
    if not (home / ".complete").exists():
        _run([sys.executable, "-m", "venv", str(home)])
        _run([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_PYTHON])
        (home / ".complete").touch()
    return str(interpreter)


def node() -> tuple[str, Path]:
    """Node, and the folder with the packages to run it in.  Raises BenchError."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise BenchError("Node's ws is one of the servers to compare with: install node and npm")
    home = _HOME / "node"
    if not (home / "node_modules").exists():
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_NODE / name, home / name)
        _run([npm, "--prefix", str(home), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"])
    return program, home


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(command[:4])} … failed:\n{done.stderr[-2000:]}")
