"""Where each market's REST methods are, relative to its base URL."""

from fsnats.binance.streams import Market

_PREFIX = {Market.SPOT: "/api/v3", Market.USDM: "/fapi/v1", Market.COINM: "/dapi/v1"}

WEIGHT_HEADER = "x-mbx-used-weight-1m"
SIMULATED_HEADER = "x-fsnats-simulated"  # ours: the simulator says so in every response


def path(market: Market, method: str) -> str:
    """The path of a REST method such as `exchangeInfo` or `klines`."""
    return f"{_PREFIX[market]}/{method}"
