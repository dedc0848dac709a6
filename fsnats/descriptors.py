"""How many files and sockets this process may have open."""

import contextlib
import resource

MOST = 1024**2  # where the system sets no limit of its own; Linux' default for a process (fs.nr_open)
SPARE = 100  # for the bus, files, HTTP and handshakes; of few, a quarter


def raise_limit() -> int:
    """Raise the soft limit to the hard one, as far as the system lets us.  Returns what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wish = MOST if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wish:
        with contextlib.suppress(
            OSError, ValueError
        ):  # a sandbox may forbid it, macOS has a limit that it does not tell
            resource.setrlimit(resource.RLIMIT_NOFILE, (wish, hard))
            return wish
    return MOST if soft == resource.RLIM_INFINITY else soft


def room(files: int) -> int:
    """How many clients fit into a process that may have so many files open."""
    return max(files - min(SPARE, files // 4), 1)
