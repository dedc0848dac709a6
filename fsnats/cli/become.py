"""Become another of our programs: same process, same terminal, same signals, the settings in the environment.

`fsnats` may not import gateway or workers, and a process between a program and systemd would be one that can die
alone.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from typing import NoReturn

from fsnats.config import PREFIX, Config, as_text
from fsnats.notify import PROGRAM
from fsnats.process import SUPERVISOR_PID
from fsnats.sources import FILE

_OURS = frozenset({FILE, PROGRAM, SUPERVISOR_PID})


def arguments_of(module: str, arguments: Iterable[str]) -> list[str]:
    """The command of one of our modules.

    `-P` keeps the working directory off the module path: a stray `gateway.py` there must not be run instead.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def environment_of(config: Config, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a program of ours has exactly this configuration.

    All settings are spelled out, also those that equal their default: the program reads the same file as we did, and
    a flag of ours must win over it.  They travel here because arguments can be read by every user of the machine.
    """
    kept = {name: value for name, value in inherited.items() if not name.startswith(PREFIX) or name in _OURS}
    return kept | {PREFIX + field.upper(): as_text(getattr(config, field)) for field in Config.__struct_fields__}


def become(module: str, arguments: Iterable[str], config: Config) -> NoReturn:
    """Replace this process by `python -P -m <module> <arguments>` with this configuration."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, arguments_of(module, arguments), environment_of(config, os.environ))
