"""Where each market's REST methods are, relative to its base URL."""

from fsnats.binance.streams import Market

_PREFIX = {Market.SPOT: "/api/v3", Market.USDM: "/fapi/v1", Market.COINM: "/dapi/v1"}
_DATA = "futures/data/"  # both futures markets have statistics there, each on its own host

WEIGHT_HEADER = "x-mbx-used-weight-1m"
SIMULATED_HEADER = "x-fsnats-simulated"  # ours: the simulator says so in every response
SOURCE_HEADER = "x-fsnats-source"  # ours, of the gateway: `exchange`, `stream` or `cache`
AGE_HEADER = "x-fsnats-age"  # ours: for how many seconds the gateway's machines have had what they answer


def path(market: Market, method: str) -> str:
    """The path of a REST method such as `exchangeInfo` or `klines`.

    `v2/ticker/price` is of that version, `futures/data/basis` has none.
    """
    if method.startswith(_DATA):
        return f"/{method}"
    if method.startswith("v2/"):
        return f"{_PREFIX[market][:-2]}{method}"
    return f"{_PREFIX[market]}/{method}"


def method_at(where: str, host: Market | None = None) -> tuple[Market, str] | None:
    """The market and method of a path, the other way round; None for a path that is none of them.

    Whose statistics are meant only the `host` says; without one they are USD-M's.
    """
    if where.startswith(f"/{_DATA}"):
        return host or Market.USDM, where[1:]
    for market, prefix in _PREFIX.items():
        if where.startswith(f"{prefix}/"):
            return market, where.removeprefix(f"{prefix}/")
        if where.startswith(f"{prefix[:-2]}v2/"):
            return market, where.removeprefix(prefix[:-2])
    return None
