"""What a gateway has counted since it started; the hot path adds to it, metrics and status read it."""

import msgspec


class Tally(msgspec.Struct):
    """Plain counters of one gateway process."""

    frames: int = 0  # received from the bus
    lost: int = 0  # missing between worker and gateway for good, as holes in the streams' sequences show
    refilled: int = 0  # of what was missing there, those read from the replay window in time
    repeated: int = 0  # passed over: frames that a worker sent again after NATS was lost
    gaps: int = 0  # notices of what a worker could not get
    unreadable: int = 0  # messages on the bus that are not frames
    delivered: int = 0  # messages written to clients
    conflated: int = 0  # messages of states that a newer one replaced before a slow client read them
    dropped: int = 0  # events dropped for slow clients, who were told
    slow: int = 0  # clients closed because they did not read
    connections: int = 0  # clients that ever connected
    refused: dict[int, int] = msgspec.field(default_factory=dict)  # handshakes, by HTTP status
    closed: dict[int, int] = msgspec.field(default_factory=dict)  # connections that the gateway closed, by code
    requests_refused: int = 0  # because they came too fast
    unknown: int = 0  # names acknowledged that no exchange delivers
    rest: dict[int, int] = msgspec.field(default_factory=dict)  # REST requests answered, by HTTP status
    rest_by_streams: int = 0  # of these, those that cost nothing: a stream told the same
