"""`fsnats config`: every setting, its value, where that came from, and what it means."""

import re
import sys
from typing import Annotated

import typer

from fsnats.cli.settings import loaded
from fsnats.config import PREFIX, Config, as_text, description
from fsnats.sources import Loaded

# Up to the last "@" of a URL: a password that was not percent-encoded must not show either.
_USER_INFO = re.compile(r"(?<=://)(?P<user>[^:@]*)(?P<colon>:?).*@")

_PARAMETER = re.compile(r"(?<=[?&]password=)[^&]*|(?<=[?&]sslpassword=)[^&]*", re.IGNORECASE)


def config(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_example: Annotated[
        bool, typer.Option("--example", help="Print a fsnats.toml with every setting in it, all commented out.")
    ] = False,
) -> None:
    """Show every setting and its source.

    Passwords in URLs are not shown.  Settings come from fsnats.toml (or --config), .env, the environment and --set,
    the later ones winning.
    """
    if as_example:
        sys.stdout.write(example())
        return
    settings = rows(loaded(context))
    if as_json:
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(settings)).decode() + "\n")
    else:
        _print_table(settings)


def rows(found: Loaded) -> dict[str, dict[str, str]]:
    """By name: `value`, `source`, `default`, `environment` (the variable's name) and `meaning`, all as text."""
    defaults = Config()
    return {
        field: {
            "value": _shown(field, as_text(getattr(found.config, field))),
            "source": found.origins[field].source if field in found.origins else "default",
            "default": as_text(getattr(defaults, field)),
            "environment": PREFIX + field.upper(),
            "meaning": description(field),
        }
        for field in Config.__struct_fields__
    }


def _shown(field: str, text: str) -> str:
    # One URL, in which a comma may be part of a password.
    return masked_url(text) if field == "store_url" else masked(text)


def masked(text: str) -> str:
    """Without the passwords of the URLs in it; a user alone is a token, and as secret."""

    return ",".join(masked_url(part) for part in text.split(","))


def masked_url(text: str) -> str:
    """One URL without its passwords, also those that PostgreSQL takes behind the question mark."""

    def mask(match: re.Match[str]) -> str:
        return f"{match['user']}:***@" if match["colon"] else "***@"

    return _PARAMETER.sub("***", _USER_INFO.sub(mask, text))


def example() -> str:
    """A file with every setting, its default and its meaning, in which nothing is set."""
    defaults = Config()
    lines = [
        "# Settings of fsnats: ./fsnats.toml, else /etc/fsnats/fsnats.toml, or the file that --config names.",
        "# Stronger than this file: .env, then the environment (FSNATS_GATEWAY_PORT=…), then --set gateway_port=….",
        "# `fsnats config` shows what holds and why.  This file: `fsnats config --example`.",
    ]
    for field in Config.__struct_fields__:
        lines += ["", f"# {description(field)}", f"#{field} = {_toml(getattr(defaults, field))}"]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A setting's value as TOML.  JSON's strings, numbers and arrays are also TOML's."""
    import msgspec

    return msgspec.json.encode(value).decode().replace('","', '", "')


def _print_table(settings: dict[str, dict[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200  # nobody's terminal: lines may be as long as they are
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("setting", "value", "source", "default", "meaning"):
        table.add_column(column, overflow="fold")
    for field, row in settings.items():
        style = "" if row["source"] == "default" else "bold"
        cells = (field, row["value"] or '""', row["source"], row["default"] or '""', row["meaning"])
        table.add_row(*(Text(cell, style=style) for cell in cells))
    console.print(table)
    typer.echo(f"\nIn the environment a setting is {PREFIX}<SETTING>, as a flag `fsnats --set <setting>=<value> …`.")
