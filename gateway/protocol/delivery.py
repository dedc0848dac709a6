"""The options of a subscription that say how a stream is delivered, whichever stream it is."""

from collections.abc import Mapping
from typing import TypedDict

import msgspec

from gateway.effects import Delivery, OnSlow
from gateway.protocol.fields import TEXT, optional
from gateway.protocol.problems import Problem, bad

OPTIONS = ("onSlow",)


class Given(TypedDict, total=False):
    """The fields of `Delivery` that a client gave; those that it left out are the session's."""

    on_slow: OnSlow


def given_in(options: Mapping[str, msgspec.Raw]) -> Given:
    """Read the delivery options among all those of a request.  Raises BadCommand."""
    found: Given = {}
    on_slow = optional(options.get("onSlow", msgspec.UNSET), "onSlow", TEXT)
    if on_slow is not None:
        found["on_slow"] = on_slow_of(on_slow)
    return found


def on_slow_of(value: str) -> OnSlow:
    """What to do with a slow client.  Raises BadCommand."""
    try:
        return OnSlow(value)
    except ValueError:
        raise bad(Problem.INVALID_FIELD, f"'onSlow' must be one of {', '.join(OnSlow)}", value) from None


def applied(given: Given, default: Delivery) -> Delivery:
    """The delivery that a client asks for on top of its session's."""
    return default._replace(**given)


def has(delivery: Delivery, given: Given) -> bool:
    """Whether a delivery is one of those that a client means."""
    return all(getattr(delivery, name) == value for name, value in given.items())


def spelled(delivery: Delivery) -> dict[str, object]:
    """The options that ask for this delivery."""
    return {} if delivery.on_slow is OnSlow.GAP else {"onSlow": delivery.on_slow}
