"""The exchange's control messages, in both directions: we send them upstream, and clients send them to the gateway."""

from collections.abc import Iterator

import msgspec

from fsnats.binance.limits import NAMES_PER_REQUEST, REQUEST_BYTES

_encode = msgspec.json.Encoder().encode


class Reply(msgspec.Struct):
    """What the exchange answers to a control message, in the forms seen on the wire.

    Success is `{"result": …, "id": n}`; errors come flat (`{"code", "msg"}`) or nested (`{"error": {…}, "id": n}`).
    """

    result: list[str] | bool | None = None
    id: int | str | None = None
    error: dict[str, int | str] | None = None
    code: int | None = None
    msg: str | None = None

    @property
    def failure(self) -> str | None:
        """The error as one sentence, or None for a success."""
        if self.error is not None:
            return f"{self.error.get('code')}: {self.error.get('msg')}"
        if self.code is not None:
            return f"{self.code}: {self.msg}"
        return None


def subscribe(names: list[str], request_id: int) -> bytes:
    """A SUBSCRIBE of these stream names.  Upstream ids are unsigned integers: the only form every market documents."""
    return _encode({"method": "SUBSCRIBE", "params": names, "id": request_id})


def unsubscribe(names: list[str], request_id: int) -> bytes:
    """An UNSUBSCRIBE of these stream names."""
    return _encode({"method": "UNSUBSCRIBE", "params": names, "id": request_id})


def list_subscriptions(request_id: int) -> bytes:
    """A LIST_SUBSCRIPTIONS."""
    return _encode({"method": "LIST_SUBSCRIPTIONS", "id": request_id})


# {"method":"UNSUBSCRIBE","params":[],"id":<up to 20 digits>}
_ENVELOPE_BYTES = 64


def batches(names: list[str]) -> Iterator[list[str]]:
    """Cut names into requests of at most NAMES_PER_REQUEST names and REQUEST_BYTES bytes each."""
    batch: list[str] = []
    size = _ENVELOPE_BYTES
    for name in names:
        cost = len(_encode(name)) + 1
        if batch and (len(batch) == NAMES_PER_REQUEST or size + cost > REQUEST_BYTES):
            yield batch
            batch, size = [], _ENVELOPE_BYTES
        batch.append(name)
        size += cost
    if batch:
        yield batch
