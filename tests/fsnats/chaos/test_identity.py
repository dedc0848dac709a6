from fsnats.chaos.identity import identify

AGGREGATE = b'{"e":"aggTrade","E":%d,"s":"BTCUSDT","a":7,"p":"%b","q":"1","f":9,"l":10,"T":5,"m":true,"M":true}'
BAR = b'{"e":"kline","E":%d,"s":"B","k":{"t":60,"T":119,"o":"1","h":"2","l":"1","c":"%b","v":"3","n":4,"x":%b}}'


def test_a_trade_is_its_id_and_its_contents_do_not_depend_on_when_it_was_said() -> None:
    one, two, other = (identify("aggTrade", AGGREGATE % values) for values in ((1, b"8"), (2, b"8"), (1, b"9")))
    assert one.key == two.key == other.key == "7"
    assert one.contents == two.contents != other.contents
    assert one.whole != two.whole
    assert one.counts


def test_a_change_of_a_book_is_its_ids() -> None:
    change = identify("depth", b'{"e":"depthUpdate","U":3,"u":5,"pu":2,"b":[],"a":[]}')
    assert (change.key, change.first, change.last, change.counts) == ("3-5", 3, 5, True)


def test_a_candle_counts_when_it_has_ended() -> None:
    closed, again = (identify("kline", BAR % (time, b"2", b"true")) for time in (1, 2))
    assert closed.counts
    assert (closed.key, closed.contents) == (again.key, again.contents)
    open_, other = (identify("kline", BAR % (time, b"2", b"false")) for time in (1, 2))
    assert not open_.counts
    assert open_.key != other.key


def test_everything_else_is_its_bytes() -> None:
    assert identify("ticker", b"[1]") == identify("ticker", b"[1]") != identify("ticker", b"[2]")
    assert not identify("aggTrade", b"<html>").counts
