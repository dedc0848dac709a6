"""Where settings come from: how the sources are merged, and their texts become values.  Pure.

From weak to strong: built-in default, `fsnats.toml`, `.env`, environment, flags.  The field `gateway_port` is
`gateway_port` in the file, `FSNATS_GATEWAY_PORT` in the environment and `--set gateway_port=…` as a flag.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from fsnats import validation
from fsnats.binance.streams import Market
from fsnats.config import HINTS, PREFIX, Config
from fsnats.errors import ConfigError
from fsnats.exits import tables
from fsnats.metrics.sockets import SOCKET, WHOLE
from fsnats.notify import PROGRAM
from fsnats.process import SUPERVISOR_PID

FILE = "FSNATS_CONFIG"  # names the file; not a setting of its own
# Variables of ours that are not settings.
INTERNAL = frozenset({FILE, PROGRAM, SUPERVISOR_PID, SOCKET, WHOLE})


class Value(msgspec.Struct, frozen=True):
    """One setting as one source gives it: `name` is how the user spelled it, `source` where it was found."""

    text: str
    name: str
    source: str


class Loaded(msgspec.Struct, frozen=True):
    """A configuration and, per field that a source set, which one."""

    config: Config
    origins: dict[str, Value]


def merge(
    *,
    file: Mapping[str, Any],
    file_name: str = "fsnats.toml",
    dotenv: Mapping[str, str],
    environ: Mapping[str, str],
    flags: Mapping[str, str],
    options: Mapping[str, str] | None = None,
    home: str = "~",
) -> Loaded:
    """Merge the sources into one checked configuration.

    `flags` maps field names to texts, as `--set` has them; `options` are those of a verb, `--port` for `gateway_port`,
    and win.  `home` is the directory under which the default state directory lies.  Raises
    ConfigError naming the setting as its source spells it.
    """
    values: dict[str, Value] = {}
    file = dict(file)
    for name, text in tables.taken_from(file, file_name):
        values["proxy"] = Value(text, name, file_name)
    for key, raw in file.items():
        if key not in Config.__struct_fields__:
            raise ConfigError(f"{key} in {file_name}", "no such setting")
        text = ",".join(map(str, raw)) if isinstance(raw, list) else str(raw)
        values[key] = Value(text, f"{key} in {file_name}", file_name)
    for source, variables in ((".env", dotenv), ("environment", environ)):
        values |= _from_variables(variables, source)
    for field, text in flags.items():
        if field not in Config.__struct_fields__:
            raise ConfigError(field, "no such setting")
        values[field] = Value(text, f"--set {field}", "flag")
    for field, text in (options or {}).items():
        option = field.partition("_")[2] or field
        values[field] = Value(text, f"--{option.replace('_', '-')}", "flag")
    fields: dict[str, Any] = {field: _convert(field, value) for field, value in values.items()}
    if not fields.get("state_dir"):
        fields["state_dir"] = str(PurePosixPath(home) / ".local" / "state" / "fsnats")
    config = Config(**fields)
    validation.check(config, lambda field: values[field].name if field in values else field)
    return Loaded(config, values)


def _from_variables(variables: Mapping[str, str], source: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, text in tables.in_variables(variables):
        found["proxy"] = Value(text, name, source)
    for name, (field, translate) in ALIASES.items():
        if variables.get(name):
            found[field] = Value(translate(variables[name]), name, source)
    for name, text in variables.items():
        if not name.startswith(PREFIX) or name in INTERNAL:
            continue
        field = name.removeprefix(PREFIX).lower()
        if field not in Config.__struct_fields__ or name != name.upper():
            raise ConfigError(name, "no such setting; `fsnats config` lists them all")
        if text == "":
            continue  # an empty variable in a unit or a compose file means "not set"
        found[field] = Value(text, name, source)
    return found


def _old_level(text: str) -> str:
    # The old server's logger (winston) knows these; what is finer than ours is debug.
    return {"warn": "warning", "http": "debug", "verbose": "debug", "silly": "debug"}.get(text.lower(), text.lower())


def _old_futures(text: str) -> str:
    return "usdm" if text.lower() in ("true", "1", "yes") else "spot"


# The names in the `.env` of the Node server that fsnats replaces.
ALIASES: dict[str, tuple[str, Callable[[str], str]]] = {
    "NATS_URL": ("nats_url", str),
    "WS_PORT": ("gateway_port", str),
    "SYMBOLS_PER_WORKER": ("symbols_per_worker", str),
    "LOG_LEVEL": ("log_level", _old_level),
    "USE_FUTURES": ("markets", _old_futures),
}

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def _convert(field: str, value: Value) -> Any:
    hint, text = HINTS[field], value.text.strip()
    raw: object = text
    if any(isinstance(meta, Meta) and meta.extra == {"unit": "bytes"} for meta in _metadata(hint)):
        match = re.fullmatch(r"(\d+)\s*([KMG]?)(i?B)?", text, re.IGNORECASE)
        if match is None:
            raise ConfigError(value.name, f"'{text}' is not a size such as 512M or 1G")
        raw = int(match[1]) * _UNITS[match[2].upper()]
    elif get_origin(_bare(hint)) is tuple:
        raw = [part.strip() for part in text.split(",") if part.strip()]
    elif field == "log_level":
        raw = text.lower()
    try:
        return msgspec.convert(raw, hint, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(value.name, f"'{text}' is not {_allowed(hint) or error}") from error


def _allowed(hint: Any) -> str:
    """What a setting of this type may be, for people; empty for a type that says no more than `Config` does."""
    bare = hint
    while get_origin(bare) is Annotated:
        bare = bare.__origin__
    bounds = [
        f"{sign} {bound}"
        for meta in _metadata(hint)
        if isinstance(meta, Meta)
        for sign, bound in ((">", meta.gt), (">=", meta.ge), ("<=", meta.le))
        if bound is not None
    ]
    if get_origin(bare) is Literal:
        return f"one of {', '.join(get_args(bare))}"
    if get_origin(bare) is tuple and get_args(bare)[0] is Market:
        return f"one or several of {', '.join(Market)}"
    words = {bool: "true or false", int: "a whole number", float: "a number"}
    return f"{words[bare]} {', '.join(bounds)}".strip() if bare in words else ""


def _metadata(hint: Any) -> Iterable[object]:
    while get_origin(hint) is Annotated:
        yield from hint.__metadata__
        hint = hint.__origin__


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
