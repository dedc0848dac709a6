"""Parameters of which each is known and given once.  Pure."""

from collections.abc import Collection, Mapping, Sequence

from fsnats.errors import Unusable

_QUOTED = 40  # characters of what a client sent


def single(query: Mapping[str, Sequence[str]], names: Collection[str]) -> dict[str, str]:
    """The one value of each parameter.  Raises Unusable for one that is not among `names`, or is there twice."""
    for name, values in query.items():
        if name not in names:
            raise Unusable(f"unknown parameter '{name[:_QUOTED]}'; allowed: {', '.join(sorted(names))}")
        if len(values) > 1:
            raise Unusable(f"parameter '{name[:_QUOTED]}' is given {len(values)} times")
    return {name: values[0] for name, values in query.items()}
