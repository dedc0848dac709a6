"""The options of a subscription that say how a stream is delivered, whichever stream it is."""

from collections.abc import Iterable, Mapping
from typing import TypedDict

import msgspec

from fsnats.binance.streams import Loss, Stream
from gateway.effects import Delivery, OnSlow
from gateway.protocol.fields import NUMBER, TEXT, TRUTH, optional
from gateway.protocol.problems import Problem, bad

OPTIONS = ("onSlow", "maxRate", "closedOnly")
RATES = (0.01, 100.0)  # messages a second: beyond them it is a mistake or no limit


class Given(TypedDict, total=False):
    """The fields of `Delivery` that a client gave; those that it left out are the session's."""

    on_slow: OnSlow
    max_rate: float
    closed_only: bool


def given_in(options: Mapping[str, msgspec.Raw]) -> Given:
    """Read the delivery options among all those of a request.  Raises BadCommand."""
    found: Given = {}
    on_slow = optional(options.get("onSlow", msgspec.UNSET), "onSlow", TEXT)
    if on_slow is not None:
        found["on_slow"] = on_slow_of(on_slow)
    max_rate = optional(options.get("maxRate", msgspec.UNSET), "maxRate", NUMBER)
    if max_rate is not None:
        if not RATES[0] <= max_rate <= RATES[1]:
            raise bad(
                Problem.INVALID_FIELD, f"'maxRate' must be {RATES[0]:g} to {RATES[1]:g} messages a second", max_rate
            )
        found["max_rate"] = max_rate
    closed_only = optional(options.get("closedOnly", msgspec.UNSET), "closedOnly", TRUTH)
    if closed_only is not None:
        found["closed_only"] = closed_only
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


def require_fit(delivery: Delivery, streams: Iterable[Stream]) -> None:
    """Refuse what these streams cannot be delivered like.  Raises BadCommand, whose part are those that cannot."""
    if delivery.closed_only:
        if delivery.max_rate is not None:
            raise bad(Problem.UNSUITABLE_OPTION, "'maxRate' does not go with 'closedOnly': closed candles are events")
        _refuse([each.name for each in streams if not each.interval], "'closedOnly' is for candles")
    elif delivery.max_rate is not None:
        events = [each.name for each in streams if each.loss is Loss.EVENTS]
        _refuse(events, "'maxRate' is for states, of which the newest is enough")


def _refuse(names: list[str], why: str) -> None:
    if names:
        raise bad(Problem.UNSUITABLE_OPTION, f"{why}; {sorted(names)[0]} is not one", sorted(names))


def spelled(delivery: Delivery) -> dict[str, object]:
    """The options that ask for this delivery."""
    options: dict[str, object] = {}
    if delivery.on_slow is not OnSlow.GAP:
        options["onSlow"] = delivery.on_slow
    if delivery.max_rate is not None:
        options["maxRate"] = int(delivery.max_rate) if delivery.max_rate.is_integer() else delivery.max_rate
    if delivery.closed_only:
        options["closedOnly"] = True
    return options
