"""Runs a file of Python that awaits at its top level, as notebooks do."""

import ast
import asyncio
import builtins
import sys
from pathlib import Path
from types import FunctionType

code = compile(Path(sys.argv[1]).read_text(), sys.argv[1], "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
asyncio.run(FunctionType(code, {"__name__": "__main__", "__builtins__": builtins})())
