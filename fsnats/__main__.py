"""`python -P -m fsnats`: the same as the `fsnats` command."""

import sys

from fsnats.cli import main

sys.exit(main())
