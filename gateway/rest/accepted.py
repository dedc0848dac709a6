"""What a client takes, by its `Accept` and `Accept-Encoding` (RFC 9110, 12.5).  Pure."""

from collections.abc import Iterable


def weights(values: Iterable[str]) -> list[tuple[str, float]]:
    """The members of a field, in small letters and in their order, with their weights; 0 is not taken at all, and so is
    what has a weight that is no number."""
    found = []
    for part in ",".join(values).lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        found.append((name, next((_number(each[2:]) for each in parameters if each.startswith("q=")), 1.0)))
    return found


def takes_gzip(values: Iterable[str]) -> bool:
    """Whether an answer may be compressed; `values` are those of all `Accept-Encoding` fields."""
    return any(name == "gzip" and weight > 0 for name, weight in weights(values))


def varying(fields: dict[str, str]) -> dict[str, str]:
    """The fields of an answer of which there are several, by what the client takes."""
    return fields | {"vary": ", ".join(filter(None, (fields.get("vary"), "accept-encoding")))}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
