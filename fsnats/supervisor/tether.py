"""`python -P -m fsnats.supervisor.tether <command> …`: run a foreign program that dies with its supervisor.

The kernel keeps a process's parent-death signal across exec (prctl(2)), so it can be set here on a program's behalf.
"""

import os
import sys

from fsnats.process import die_with_supervisor

MODULE = "fsnats.supervisor.tether"

if __name__ == "__main__":
    die_with_supervisor()
    os.execvp(sys.argv[1], sys.argv[1:])
