"""Candles made of other candles and of trades, equal to Binance's own.  Everything in here is pure.

`calendar` says which candle a moment belongs to, `candle` what a candle is, `sums` adds pieces up, `live` makes candles
of shorter ones and `trades` of aggregated trades, each event by event or all at once.
"""
