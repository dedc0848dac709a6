"""Parameters of which each is known and given once.  Pure."""

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import parse_qs

from fsnats.errors import Unusable

TOKEN = "token"  # known everywhere: the door reads it
_QUOTED = 40  # characters of what a client sent
_MOST = 32  # parameters of a query


def parameters(query: str, names: Collection[str]) -> dict[str, str]:
    """The one value of each parameter of a query.  Raises Unusable as `single`, and for far too many."""
    try:
        given = parse_qs(query, keep_blank_values=True, errors="replace", max_num_fields=_MOST)
    except ValueError:
        raise Unusable(f"more than {_MOST} parameters") from None
    return single(given, {*names, TOKEN})


def whole(text: str, least: int, most: int) -> int | None:
    """A number written in digits, from `least` to `most`; None for anything else, also where it is padded with zeros
    beyond the length of `most`: what is converted stays short."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        return None
    return int(text)


def single(query: Mapping[str, Sequence[str]], names: Collection[str]) -> dict[str, str]:
    """The one value of each parameter.  Raises Unusable for one that is not among `names`, or is there twice."""
    for name, values in query.items():
        if name not in names:
            raise Unusable(f"unknown parameter '{name[:_QUOTED]}'; allowed: {', '.join(sorted(names))}")
        if len(values) > 1:
            raise Unusable(f"parameter '{name[:_QUOTED]}' is given {len(values)} times")
    return {name: values[0] for name, values in query.items()}
