"""The bytes of each event, key for key as the exchange writes it in late 2026.

Sources: Binance's stream documentation of each market and recorded frames; `st` and `ps` came with the COIN-M/USD-M
integration of 2026-06-30.  `now` is the event time in milliseconds; everything else comes from the market model.
"""

from collections.abc import Iterable

from fsnats.binance.streams import Market
from workers.simulator.book import Change, Level
from workers.simulator.instruments import Instrument, fixed
from workers.simulator.minutes import Bar, Trade
from workers.simulator.windows import Window

ST = {Market.USDM: ',"st":1', Market.COINM: ',"st":2', Market.SPOT: ""}


def agg_trade(instrument: Instrument, trade: Trade, now: int) -> bytes:
    """`<symbol>@aggTrade`."""
    price, quantity = instrument.price(trade.price), instrument.quantity(trade.quantity)
    maker = "true" if trade.maker else "false"
    ids = f'"f":{trade.first},"l":{trade.last},"T":{trade.time},"m":{maker}'
    if instrument.market is Market.SPOT:
        return (
            f'{{"e":"aggTrade","E":{now},"s":"{instrument.symbol}","a":{trade.id},"p":"{price}","q":"{quantity}",'
            f'{ids},"M":true}}'
        ).encode()
    normal = f'"nq":"{quantity}",' if instrument.market is Market.USDM else ""
    return (
        f'{{"e":"aggTrade","E":{now},"a":{trade.id},"s":"{instrument.symbol}","p":"{price}","q":"{quantity}",'
        f"{normal}{ids}{ST[instrument.market]}}}"
    ).encode()


def trade(instrument: Instrument, aggregate: Trade, trade_id: int, steps: int, now: int) -> bytes:
    """`<symbol>@trade`: one fill of an aggregate trade."""
    price, quantity = instrument.price(aggregate.price), instrument.quantity(steps)
    maker = "true" if aggregate.maker else "false"
    if instrument.market is Market.SPOT:
        return (
            f'{{"e":"trade","E":{now},"s":"{instrument.symbol}","t":{trade_id},"p":"{price}","q":"{quantity}",'
            f'"T":{aggregate.time},"m":{maker},"M":true}}'
        ).encode()
    return (
        f'{{"e":"trade","E":{now},"T":{aggregate.time},"s":"{instrument.symbol}","t":{trade_id},"p":"{price}",'
        f'"q":"{quantity}","X":"MARKET","m":{maker}{ST[instrument.market]}}}'
    ).encode()


def block_trade(instrument: Instrument, trade_id: int, price: int, steps: int, time: int, now: int) -> bytes:
    """`<symbol>@blockTrade`; its ids are a series of their own."""
    return (
        f'{{"e":"blockTrade","E":{now},"s":"{instrument.symbol}","t":{trade_id},"p":"{instrument.price(price)}",'
        f'"q":"{instrument.quantity(steps)}","T":{time},"m":false}}'
    ).encode()


def _candle(instrument: Instrument, interval: str, opens: int, closes: int, bar: Bar, closed: bool, symbol: str) -> str:
    price = instrument.price
    return (
        f'"k":{{"t":{opens},"T":{closes - 1},{symbol}"i":"{interval}","f":{bar.first},"L":{bar.last},'
        f'"o":"{price(bar.open)}","c":"{price(bar.close)}","h":"{price(bar.high)}","l":"{price(bar.low)}",'
        f'"v":"{instrument.quantity(bar.volume)}","n":{bar.count},"x":{"true" if closed else "false"},'
        f'"q":"{instrument.turnover(bar.quote)}","V":"{instrument.quantity(bar.buy_volume)}",'
        f'"Q":"{instrument.turnover(bar.buy_quote)}","B":"0"}}'
    )


def kline(instrument: Instrument, interval: str, opens: int, closes: int, bar: Bar, closed: bool, now: int) -> bytes:
    """`<symbol>@kline_<interval>`, on every market.  `closes` is the first millisecond of the next candle."""
    candle = _candle(instrument, interval, opens, closes, bar, closed, f'"s":"{instrument.symbol}",')
    return f'{{"e":"kline","E":{now},"s":"{instrument.symbol}",{candle}}}'.encode()


def continuous_kline(
    instrument: Instrument, interval: str, opens: int, closes: int, bar: Bar, closed: bool, now: int
) -> bytes:
    """`<pair>_<contract type>@continuousKline_<interval>`."""
    candle = _candle(instrument, interval, opens, closes, bar, closed, "")
    head = f'{{"e":"continuous_kline","E":{now},"ps":"{instrument.pair}","ct":"{instrument.contract}",'
    return f"{head}{candle}}}".encode()


def derived_kline(
    instrument: Instrument, interval: str, opens: int, closes: int, bar: Bar, closed: bool, now: int, *, index: bool
) -> bytes:
    """COIN-M's `indexPriceKline` (of a pair) and `markPriceKline`: candles of a computed price, without volumes."""
    event, symbol = ("indexPrice_kline", "0") if index else ("markPrice_kline", instrument.symbol)
    price = instrument.price
    latest = min(now, closes - 1)
    return (
        f'{{"e":"{event}","E":{now},"ps":"{instrument.pair}","k":{{"t":{opens},"T":{closes - 1},"s":"{symbol}",'
        f'"i":"{interval}","f":{opens},"L":{latest},"o":"{price(bar.open)}","c":"{price(bar.close)}",'
        f'"h":"{price(bar.high)}","l":"{price(bar.low)}","v":"0","n":{(latest - opens) // 1000 + 1},'
        f'"x":{"true" if closed else "false"},"q":"0","V":"0","Q":"0","B":"0"}}}}'
    ).encode()


def _pair(instrument: Instrument) -> str:
    return "" if instrument.market is Market.SPOT else f'"ps":"{instrument.pair}",'


def mini_ticker(instrument: Instrument, window: Window, now: int) -> str:
    """`<symbol>@miniTicker` and the rows of `!miniTicker@arr`."""
    price = instrument.price
    return (
        f'{{"e":"24hrMiniTicker","E":{now},"s":"{instrument.symbol}",{_pair(instrument)}"c":"{price(window.close)}",'
        f'"o":"{price(window.open)}","h":"{price(window.high)}","l":"{price(window.low)}",'
        f'"v":"{instrument.quantity(window.volume)}","q":"{instrument.turnover(window.quote)}"{ST[instrument.market]}}}'
    )


def ticker(instrument: Instrument, window: Window, best: tuple[Level, Level], now: int) -> str:
    """`<symbol>@ticker` and the rows of `!ticker@arr`."""
    price, quantity = instrument.price, instrument.quantity
    change = f'"p":"{price(window.close - window.open)}","P":"{percent(window)}","w":"{average(instrument, window)}",'
    last = f'"c":"{price(window.close)}","Q":"{quantity(window.last_quantity)}",'
    if instrument.market is Market.SPOT:
        (bid, bids), (ask, asks) = best
        change += f'"x":"{price(window.open)}",'
        last += f'"b":"{price(bid)}","B":"{quantity(bids)}","a":"{price(ask)}","A":"{quantity(asks)}",'
    return (
        f'{{"e":"24hrTicker","E":{now},"s":"{instrument.symbol}",{_pair(instrument)}{change}{last}'
        f'"o":"{price(window.open)}","h":"{price(window.high)}","l":"{price(window.low)}",'
        f'"v":"{quantity(window.volume)}","q":"{instrument.turnover(window.quote)}",{_window_ids(window)}'
        f"{ST[instrument.market]}}}"
    )


def window_ticker(instrument: Instrument, name: str, window: Window, now: int) -> str:
    """Spot's `<symbol>@ticker_<name>` and the rows of `!ticker_<name>@arr`."""
    price = instrument.price
    return (
        f'{{"e":"{name}Ticker","E":{now},"s":"{instrument.symbol}","p":"{price(window.close - window.open)}",'
        f'"P":"{percent(window)}","o":"{price(window.open)}","h":"{price(window.high)}","l":"{price(window.low)}",'
        f'"c":"{price(window.close)}","w":"{average(instrument, window)}","v":"{instrument.quantity(window.volume)}",'
        f'"q":"{instrument.turnover(window.quote)}",{_window_ids(window)}}}'
    )


def _window_ids(window: Window) -> str:
    return (
        f'"O":{window.opens},"C":{window.closes},"F":{window.first},"L":{window.last},'
        f'"n":{window.last - window.first + 1}'
    )


def percent(window: Window) -> str:
    """The change of a window in percent, with three decimals."""
    return fixed((window.close - window.open) * 100_000 // window.open, 3)


def average(instrument: Instrument, window: Window) -> str:
    """The weighted average price of a window."""
    if instrument.market is Market.COINM or not window.volume:
        return fixed((window.high + window.low) // 2 * 10 ** (8 - instrument.tick_digits), 8)
    digits = 8 if instrument.market is Market.SPOT else instrument.tick_digits
    return fixed(window.quote * 10 ** (digits - instrument.tick_digits) // window.volume, digits)


def book_ticker(instrument: Instrument, update_id: int, best: tuple[Level, Level], time: int, now: int) -> bytes:
    """`<symbol>@bookTicker`; `time` is the engine's."""
    (bid, bids), (ask, asks) = best
    price, quantity, symbol = instrument.price, instrument.quantity, instrument.symbol
    sides = f'"b":"{price(bid)}","B":"{quantity(bids)}","a":"{price(ask)}","A":"{quantity(asks)}"'
    if instrument.market is Market.SPOT:
        return f'{{"u":{update_id},"s":"{symbol}",{sides}}}'.encode()
    if instrument.market is Market.USDM:
        head = f'{{"e":"bookTicker","u":{update_id},"E":{now},"T":{time},"s":"{symbol}","ps":"{instrument.pair}"'
        return f'{head},{sides},"st":1}}'.encode()
    head = f'{{"u":{update_id},"e":"bookTicker","s":"{symbol}","ps":"{instrument.pair}"'
    return f'{head},{sides},"T":{time},"E":{now},"st":2}}'.encode()


def levels(instrument: Instrument, side: Iterable[Level]) -> str:
    """One side of a book as it stands in payloads and replies."""
    price, quantity = instrument.price, instrument.quantity
    return ",".join(f'["{price(level)}","{quantity(steps)}"]' for level, steps in side)


def depth(instrument: Instrument, change: Change, time: int, now: int) -> bytes:
    """`<symbol>@depth…`; on futures also partial depth, which has the same shape."""
    bids, asks = levels(instrument, change.bids), levels(instrument, change.asks)
    if instrument.market is Market.SPOT:
        return (
            f'{{"e":"depthUpdate","E":{now},"s":"{instrument.symbol}","U":{change.first_id},"u":{change.last_id},'
            f'"b":[{bids}],"a":[{asks}]}}'
        ).encode()
    return (
        f'{{"e":"depthUpdate","E":{now},"T":{time},"s":"{instrument.symbol}","ps":"{instrument.pair}",'
        f'"U":{change.first_id},"u":{change.last_id},"pu":{change.previous_id},"b":[{bids}],"a":[{asks}]'
        f"{ST[instrument.market]}}}"
    ).encode()


def partial_depth(instrument: Instrument, update_id: int, top: tuple[list[Level], list[Level]]) -> bytes:
    """Spot's `<symbol>@depth<levels>`: no type, no symbol, no time."""
    bids, asks = (levels(instrument, side) for side in top)
    return f'{{"lastUpdateId":{update_id},"bids":[{bids}],"asks":[{asks}]}}'.encode()


def average_price(instrument: Instrument, price: int, last_trade: int, now: int) -> bytes:
    """`<symbol>@avgPrice`."""
    return (
        f'{{"e":"avgPrice","E":{now},"s":"{instrument.symbol}","i":"5m","w":"{instrument.price(price)}",'
        f'"T":{last_trade}}}'
    ).encode()


def reference_price(instrument: Instrument, price: int, now: int) -> bytes:
    """`<symbol>@referencePrice`; it has no `E`."""
    return f'{{"e":"referencePrice","s":"{instrument.symbol}","r":"{instrument.price(price)}","t":{now}}}'.encode()


def mark_price(instrument: Instrument, mark: int, index: int, rate: int, funding: int, now: int) -> str:
    """`<symbol>@markPrice` and the rows of the arrays; prices and the rate in units of 10^-8."""
    perpetual = "PERPETUAL" in instrument.contract
    moving = f'"ap":"{fixed(mark, 8)}",' if instrument.market is Market.USDM else ""
    return (
        f'{{"e":"markPriceUpdate","E":{now},"s":"{instrument.symbol}","p":"{fixed(mark, 8)}",{moving}'
        f'"P":"{fixed((mark + index) // 2, 8)}","i":"{fixed(index, 8)}","r":"{fixed(rate, 8) if perpetual else ""}",'
        f'"T":{funding if perpetual else 0}{ST[instrument.market]}}}'
    )


def index_price(pair: str, index: int, now: int) -> bytes:
    """COIN-M's `<pair>@indexPrice`."""
    return f'{{"e":"indexPriceUpdate","E":{now},"i":"{pair}","p":"{fixed(index, 8)}"}}'.encode()


def force_order(instrument: Instrument, price: int, steps: int, sells: bool, time: int, now: int) -> bytes:
    """`<symbol>@forceOrder` and `!forceOrder@arr`, which is one object and no array."""
    quantity, text = instrument.quantity(steps), instrument.price(price)
    inner, outer = ("", f',"ps":"{instrument.pair}"')
    if instrument.market is Market.COINM:
        inner, outer = (f'"ps":"{instrument.pair}",', "")
    return (
        f'{{"e":"forceOrder","E":{now},"o":{{"s":"{instrument.symbol}",{inner}"S":"{"SELL" if sells else "BUY"}",'
        f'"o":"LIMIT","f":"IOC","q":"{quantity}","p":"{text}","ap":"{text}","X":"FILLED","l":"{quantity}",'
        f'"z":"{quantity}","T":{time}}}{outer}{ST[instrument.market]}}}'
    ).encode()


def composite_index(instrument: Instrument, parts: Iterable[tuple[str, int, int]], now: int) -> bytes:
    """`<symbol>@compositeIndex`; parts are base, weight in percent * 10^8, price * 10^8."""
    rows = ",".join(
        f'{{"b":"{base}","q":"USDT","w":"{fixed(weight * 26, 8)}","W":"{fixed(weight, 8)}","i":"{fixed(price, 8)}"}}'
        for base, weight, price in parts
    )
    price = fixed(instrument.level * 10 ** (8 - instrument.tick_digits), 8)
    return (
        f'{{"e":"compositeIndex","E":{now},"s":"{instrument.symbol}","p":"{price}","C":"baseAsset","c":[{rows}]}}'
    ).encode()


def contract_info(instrument: Instrument, now: int) -> bytes:
    """`!contractInfo`: what is pushed when a contract is listed, changes its state or is delisted."""
    return (
        f'{{"e":"contractInfo","E":{now},"s":"{instrument.symbol}","ct":"{instrument.contract}",'
        f'"dt":{instrument.delivery},"ot":{instrument.listed},"cs":"{instrument.status}"{ST[instrument.market]}}}'
    ).encode()


def asset_index(asset: str, price: int, now: int) -> str:
    """`<asset>@assetIndex` and the rows of `!assetIndex@arr`; `price` in units of 10^-8."""
    low, high = fixed(price * 99 // 100, 8), fixed(price * 101 // 100, 8)
    return (
        f'{{"e":"assetIndexUpdate","E":{now},"s":"{asset}","i":"{fixed(price, 8)}","b":"0.01000000","a":"0.01000000",'
        f'"B":"{low}","A":"{high}","q":"0.01000000","g":"0.01000000","Q":"{low}","G":"{high}"}}'
    )


def trading_session(event: str, starts: int, ends: int, session: str, now: int) -> bytes:
    """`tradingSession`: in which session the markets behind TradFi contracts are."""
    return f'{{"e":"{event}","E":{now},"t":{starts},"T":{ends},"S":"{session}"}}'.encode()
