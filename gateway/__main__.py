"""`python -P -m gateway`"""

import sys


def main() -> int:
    """Run it and return its exit status."""
    try:
        from gateway.main import main as run

        return run()
    except KeyboardInterrupt:  # while it is loading; later it is a signal as any other
        return 130  # 128 + SIGINT, as shells have it


sys.exit(main())
