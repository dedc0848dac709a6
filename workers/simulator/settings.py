"""What a simulator can be told.  The defaults of the limits are the exchange's own."""

import math

import msgspec

from fsnats.binance import limits
from fsnats.binance.streams import Market

PORT = 9443  # the exchange's own, and what `fsnats sim` listens on


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that shapes one simulator; durations in seconds.

    Where a limit differs by market, None means the exchange's value for each, and a number holds for all of them.
    """

    host: str = "127.0.0.1"
    port: int = 0  # 0 takes a free one

    # What is traded.
    seed: int = 1
    spot_symbols: int | None = None  # symbols in state TRADING; None is the small default universe
    usdm_symbols: int | None = None
    history_days: int = 60  # older candles and trades do not exist

    # How data is sent.
    tick: float = 0.05  # streams that are due are looked at this often
    rate: float = 0.0  # messages a second over all subscribed streams, instead of each stream's own cadence
    stamp: bool = False  # "TS": monotonic nanoseconds, as the first key of each payload
    buffer_bytes_max: int = 64 * 1024 * 1024  # a reader that lags further is cut

    # What is remembered.
    record: bool = False  # keep the bytes of every event
    judged: bool = False  # keep the identities of the newest events, and produce also while nobody listens

    # Replay instead of the market model.
    replay: tuple[str, ...] = ()
    speed: float = 1.0  # math.inf is as fast as the readers take it
    replay_waits: bool = False  # start only when told, not when every captured stream is subscribed

    # Limits.
    streams_per_connection: int = limits.STREAMS_PER_CONNECTION
    messages_per_second: int | None = None
    request_bytes_max: int = 4096  # longer requests are noted as violations; they have hung (binance-connector-rust#27)
    url_bytes_max: int = 16_000  # longer ones get 414 (UBWA#120)
    dials: int = limits.DIALS_PER_FIVE_MINUTES
    dials_span: float = 300.0
    ping_interval: float | None = None
    pong_deadline: float | None = None
    life: float = limits.CONNECTION_LIFE
    weight_per_minute: int | None = None
    refusals_before_ban: int = 10  # requests that ignore a 429 before the IP is banned
    ban: float = 120.0  # the shortest ban the exchange documents

    def messages_in_a_second(self, market: Market) -> int:
        """How many client messages a second a connection may send."""
        return limits.MESSAGES_PER_SECOND[market] if self.messages_per_second is None else self.messages_per_second

    def ping_every(self, market: Market) -> float:
        """Seconds between two server pings."""
        return limits.SERVER_PING[market] if self.ping_interval is None else self.ping_interval

    def pong_within(self, market: Market) -> float:
        """Seconds a client has to answer a ping."""
        return limits.PONG_DEADLINE[market] if self.pong_deadline is None else self.pong_deadline

    def weight_of_a_minute(self, market: Market) -> int:
        """REST weight that one IP may use in a clock minute."""
        return limits.WEIGHT_PER_MINUTE[market] if self.weight_per_minute is None else self.weight_per_minute

    @property
    def unpaced(self) -> bool:
        """Whether a replay runs as fast as its readers."""
        return math.isinf(self.speed)
