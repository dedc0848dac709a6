"""Exits as other programs write them, turned into our URLs.  Pure.

A table has `url`, or one of two older forms: `use_proxy`, `proxy_addr`, `proxy_port` (a SOCKS5 proxy), or `address`,
`proxy_type`, `enabled`.  Each may have `username` and `password`.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from fsnats.errors import ConfigError
from fsnats.exits.address import DIRECT, SCHEMES

TRIPLE = ("use_proxy", "proxy_addr", "proxy_port")  # also without a table, and in the environment
BLOCK = ("exchanges", "binance", "connection", "proxy")  # where the other form lies in its own program's file
_FORMS = (("url",), TRIPLE, ("address", "proxy_type", "enabled"))
_LOGIN = ("username", "password")
_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")


def taken_from(file: dict[str, Any], file_name: str) -> Iterator[tuple[str, str]]:
    """Take the one form other than `proxy` in which a settings file names exits out of it.

    Yields its name and the pool that it means.  Raises ConfigError.
    """
    found: dict[str, Any] = {}
    if "exit" in file:
        found["[[exit]]"] = file.pop("exit")
    if triple := {key: file.pop(key) for key in TRIPLE if key in file}:
        found[TRIPLE[0]] = triple
    if not isinstance(file.get("proxy", ""), str):
        found["[proxy]"] = file.pop("proxy")
    block: Any = file
    for part in BLOCK:
        block = block.get(part) if isinstance(block, Mapping) else None
    if block is not None:
        found[f"[{'.'.join(BLOCK)}]"] = block
        del file[BLOCK[0]]
    for form, meant in found.items():
        name = f"{form} in {file_name}"
        if len(found) > 1 or "proxy" in file:
            raise ConfigError(name, "exits are named in two ways; keep one")
        yield name, _checked(meant, name)


def in_variables(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The pool that USE_PROXY, PROXY_ADDR and PROXY_PORT mean, where they are set.  Raises ConfigError."""
    triple = {key: variables[key.upper()] for key in TRIPLE if variables.get(key.upper())}
    if TRIPLE[0] in triple:
        name = TRIPLE[0].upper()
        yield name, _checked(triple, name)


def _checked(tables: Any, name: str) -> str:
    try:
        return pool_of(tables)
    except ValueError as error:
        raise ConfigError(name, str(error)) from None


def exit_of(table: Mapping[str, Any]) -> str:
    """The exit that a table means.  Raises ValueError with a sentence that does not repeat a password."""
    form = next((form for form in _FORMS if set(table) & set(form)), None)
    if form is None:
        raise ValueError(f"one of {', '.join(form[0] for form in _FORMS)} is needed")
    unknown = sorted(set(table) - {*form, *_LOGIN})
    if unknown:
        raise ValueError(f"'{unknown[0]}' does not belong beside '{form[0]}'")
    if form[0] == "url":
        if not isinstance(table["url"], str):
            raise ValueError("'url' is not a text")
        return _with_login(table["url"], table)
    if not _is_on(table, form):
        return DIRECT.name
    if form[0] == "use_proxy":
        return _with_login(f"socks5h://{_needed(table, 'proxy_addr')}:{_needed(table, 'proxy_port')}", table)
    scheme = str(table.get("proxy_type", "http")).lower()
    if scheme not in SCHEMES:
        raise ValueError(f"the proxy_type is not one of {', '.join(SCHEMES)}")
    return _with_login(f"{scheme}://{str(_needed(table, 'address')).rpartition('://')[2]}", table)


def pool_of(tables: Any) -> str:
    """The pool that a table or an array of tables means, as comma-separated text.  Raises ValueError."""
    listed = tables if isinstance(tables, list) else [tables]
    if not all(isinstance(table, Mapping) for table in listed):
        raise ValueError("a table is wanted")
    return ",".join(exit_of(table) for table in listed)


def _is_on(table: Mapping[str, Any], form: tuple[str, ...]) -> bool:
    switch = "use_proxy" if "use_proxy" in form else "enabled"
    text = str(table.get(switch, True)).lower()
    if text not in _YES and text not in _NO:
        raise ValueError(f"'{switch}' is neither true nor false")
    return text in _YES


def _needed(table: Mapping[str, Any], name: str) -> Any:
    if table.get(name) in (None, ""):
        raise ValueError(f"'{name}' is missing")
    return table[name]


def _with_login(url: str, table: Mapping[str, Any]) -> str:
    scheme, separator, rest = url.partition("://")
    if not table.get("username") or not separator:
        return url
    user, password = (quote(str(table.get(name, "")), safe="") for name in _LOGIN)
    return f"{scheme}://{user}:{password}@{rest}"
