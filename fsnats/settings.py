"""Read the configuration of this process from where it lies: file, `.env`, environment, flags."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fsnats.errors import ConfigError
from fsnats.process import SUPERVISOR_PID
from fsnats.sources import FILE, Loaded, merge

PLACES = (Path("fsnats.toml"), Path("/etc/fsnats/fsnats.toml"))


def load(flags: Mapping[str, str] | None = None, options: Mapping[str, str] | None = None) -> Loaded:
    """The checked configuration of this process, see `merge`.  Raises ConfigError."""
    # A supervisor's child has every setting in its environment: a file that was broken meanwhile must not keep a
    # worker from starting again.
    supervised = SUPERVISOR_PID in os.environ
    path = None if supervised else _file()
    return merge(
        file=_toml(path) if path else {},
        file_name=str(path) if path else "fsnats.toml",
        dotenv={} if supervised else _dotenv(Path(".env")),
        environ=os.environ,
        flags=flags or {},
        options=options,
        home=str(Path.home()),
    )


def _file() -> Path | None:
    named = os.environ.get(FILE)
    if named:
        if not Path(named).is_file():
            raise ConfigError(FILE, f"no file '{named}'")
        return Path(named)
    return next((place for place in PLACES if place.is_file()), None)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), str(error)) from error


def _dotenv(path: Path) -> dict[str, str]:
    """`NAME=value` lines; comments, `export` and matching quotes are taken off."""
    if not path.is_file():
        return {}
    variables: dict[str, str] = {}
    for line in path.read_text(errors="replace").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if not equals or name.startswith("#"):
            continue
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        else:
            value = value.partition(" #")[0].strip()
        variables[name.strip()] = value
    return variables
