"""Binance's limits, and what we allow ourselves of them.  Source: Binance's public documentation as of November 2026,
"WebSocket limits" of each market, unless another one is named."""

from fsnats.binance.streams import Market

STREAMS_PER_CONNECTION = 1024  # the 1025th is answered with error 4 and a close that loses all of them
STREAMS_PER_FEED = 1000  # ours: room for a count that differs by a few

CONNECTION_LIFE = 24 * 3600.0  # seconds; the exchange closes the connection then, spot may do so earlier

# Client messages a second, pings and pongs included; a strict sliding window.
MESSAGES_PER_SECOND = {Market.SPOT: 5, Market.USDM: 10, Market.COINM: 10}
# Ours.  Spot: four a second were closed, two held (docs.rs polyoxide-binance, spot/ws); room is left for pongs.
CONTROL_PER_SECOND = {Market.SPOT: 2, Market.USDM: 5, Market.COINM: 5}

NAMES_PER_REQUEST = 150  # ours: more has hung until the next server ping (binance-connector-rust#27)
REQUEST_BYTES = 4000  # ours, same source: the stall begins at about 4,088 bytes

DIALS_PER_FIVE_MINUTES = 300  # spot, per IP; not published for futures
DIALS_PER_MINUTE = 150  # ours, per exit: a storm must not use up what the four minutes after it need

SERVER_PING = {Market.SPOT: 20.0, Market.USDM: 180.0, Market.COINM: 180.0}  # seconds between two server pings
PONG_DEADLINE = {Market.SPOT: 60.0, Market.USDM: 600.0, Market.COINM: 600.0}  # seconds to answer one

WEIGHT_PER_MINUTE = {Market.SPOT: 6000, Market.USDM: 2400, Market.COINM: 2400}  # REST, per IP; futures share one pool
# Requests of futures that are counted one by one besides, per IP: funding rates and their terms together, and the
# statistics under /futures/data.
REQUESTS_PER_FIVE_MINUTES = {"funding": 500, "statistics": 1000}
KLINES_LIMIT = {Market.SPOT: 1000, Market.USDM: 1500, Market.COINM: 1500}  # rows of one klines request
HISTORY_ROWS = 1000  # rows of one request for trades, aggregate trades or candles, on every market
KLINES_DEFAULT = 500  # rows when a request names no limit, on every market
