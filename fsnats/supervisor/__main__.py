"""`python -P -m fsnats.supervisor [--sim] [--gateway] [--impatient]`: the fleet by hand, for trying."""

import argparse
import sys

from fsnats import process
from fsnats.errors import EXIT_CONFIG, ConfigError
from fsnats.logs.start import log_as
from fsnats.settings import load
from fsnats.supervisor.main import SimSettings, supervise


def main() -> int:
    """Run until a signal, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -P -m fsnats.supervisor", description="Run the fleet.")
    parser.add_argument("--sim", action="store_true", help="serve simulated data instead of Binance's")
    parser.add_argument("--gateway", action="store_true", help="run the gateway as well")
    parser.add_argument("--impatient", action="store_true", help="end when something cannot be started or reached")
    options = parser.parse_args()
    try:
        config = load().config
    except ConfigError as error:
        sys.stderr.write(f"fsnats: {error}\n")
        return EXIT_CONFIG
    log_as("supervisor", config)
    return process.run(
        lambda stopping: supervise(
            config,
            stopping,
            with_gateway=options.gateway,
            simulated=SimSettings() if options.sim else None,
            impatient=options.impatient,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
