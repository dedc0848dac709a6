"""Standard error, for those who must not wait for its reader: a paused terminal (Ctrl-S), `less`, a container's log
that hangs.  What it does not take at once is left out, for the caller to count.
"""

import select
import threading
from typing import TextIO

_AT_ONCE = 1024  # characters: not more bytes than a pipe takes that says it takes some (PIPE_BUF)


class Outlet:
    """Writes to a stream, as far as that takes it at once; from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_cut = False  # what was written last has no end
        self._lock = threading.RLock()  # a poll object wants it, and so do lines; what is collected meanwhile may log
        self._poll: select.poll | None = None
        try:
            descriptor = stream.fileno()
        except (OSError, ValueError):
            return  # no file, but something in memory
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def put(self, text: str) -> bool:
        """Write a text that ends its line; False where it, or the end of it, had to be left out.

        Raises OSError or ValueError when the reader is gone.
        """
        with self._lock:
            return self._put(f"\n{text}" if self._is_cut else text)

    def _put(self, text: str) -> bool:
        for start in range(0, len(text), _AT_ONCE):
            if self._poll is not None and not self._poll.poll(0):
                self._is_cut = self._is_cut or start > 0
                return False
            self._stream.write(text[start : start + _AT_ONCE])
            self._stream.flush()
            self._is_cut = False
        return True
