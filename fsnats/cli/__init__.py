"""The `fsnats` command: one small module for each of its verbs.

Those modules are imported to know their options, so `fsnats --help` pays for all of them: what a verb needs to do its
work it imports inside.
"""

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status: 64 wrong usage, 69 not reachable now,
    74 an output that takes nothing, 78 a bad setting."""
    try:
        # Inside: it takes a while, and who presses Ctrl-C meanwhile wants no traceback.
        from fsnats.cli.output import prepare

        prepare()
        from fsnats.cli.app import app
        from fsnats.command import run_command

        return run_command(app, arguments, "fsnats")
    except KeyboardInterrupt:
        return _INTERRUPTED
