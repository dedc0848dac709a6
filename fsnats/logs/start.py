"""How a program begins to log: by its settings, with files."""

import os
import time
from pathlib import Path

from fsnats import log
from fsnats.config import Config
from fsnats.logs.files import Bounds, LogFile
from fsnats.logs.names import DIRECTORY
from fsnats.logs.secrets import secrets_of
from fsnats.logs.writer import Writer


def log_as(program: str, config: Config) -> None:
    """Log under this name from here on: to standard error, and to files unless the settings say otherwise."""
    secrets = secrets_of(config, os.environ)
    funnel = log.configure(program, config.log_level, secrets=secrets, repeats=config.log_repeats)
    if config.log_files:
        bounds = Bounds(config.log_file_size, config.log_day_size, config.log_days)
        file = LogFile(directory(config), program, bounds)
        funnel.writer = Writer(file, funnel.file_trouble, time.monotonic)


def directory(config: Config) -> Path:
    """Where the log files of this state directory are."""
    return Path(config.state_dir).absolute() / DIRECTORY
