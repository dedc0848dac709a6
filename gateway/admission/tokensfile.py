"""The file of access tokens, read again when it changes."""

import logging
import os
import stat

from fsnats.errors import ConfigError
from gateway.admission.tokens import BadTokens, Tokens, read

logger = logging.getLogger(__name__)

_Mark = tuple[int, int, int]  # inode, size and time of change in ns: what tells one content from another


class TokensFile:
    """What the file held when it was last good."""

    def __init__(self, path: str, setting: str) -> None:
        """Raises ConfigError naming `setting` when the file cannot be used."""
        self._path = path
        self._setting = setting
        self._read_at = self._seen = _mark(path)
        self.tokens = self._read()

    def look(self) -> None:
        """Read a file that has changed.  Call it every second or so.

        A change is taken only when the next look finds it unchanged: a file that is being written may well be
        readable half-way, and would revoke whoever is in the other half.
        """
        mark = _mark(self._path)
        settled, self._seen = mark == self._seen, mark
        if settled and mark != self._read_at:
            self.reload()

    def reload(self) -> None:
        """Read the file now.  What cannot be used is logged and changes nothing."""
        self._read_at = self._seen = _mark(self._path)
        try:
            self.tokens = self._read()
        except ConfigError as error:
            logger.error(
                "the tokens file cannot be used, the tokens of before stay",
                extra={"event": "tokens.unusable", "error": str(error)},
            )
        else:
            logger.info("tokens read", extra={"event": "tokens.read", "file": self._path, "tokens": len(self.tokens)})

    def _read(self) -> Tokens:
        try:
            with open(self._path, encoding="utf-8") as file:
                mode = os.fstat(file.fileno()).st_mode
                tokens = read(file.read())
        except OSError as error:
            raise ConfigError(self._setting, f"cannot read '{self._path}': {error.strerror}") from error
        except UnicodeDecodeError:
            raise ConfigError(self._setting, f"'{self._path}' is not UTF-8") from None
        except BadTokens as error:
            raise ConfigError(self._setting, f"'{self._path}': {error}") from None
        if mode & stat.S_IROTH:
            logger.warning(
                "every user of this machine can read the tokens file",
                extra={"event": "tokens.exposed", "file": self._path},
            )
        return tokens


def _mark(path: str) -> _Mark | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
