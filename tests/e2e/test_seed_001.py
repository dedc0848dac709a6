"""The old server's README: its lines work in a page, one after the other, but for the address."""

from tests.e2e.client import until
from tests.e2e.fleet import Fleet
from tests.e2e.likeness import unlike
from tests.e2e.pages import opened
from tests.e2e.transcript import at, block


async def test_its_lines_work_one_after_the_other_in_a_page(fleet: Fleet) -> None:
    # Its messages have Binance's combined form inside of the typed one, as the guide's do not: `envelope=combined`.
    connect = at(block("001 connect"), fleet.gateway_port)
    combined = connect.replace(f":{fleet.gateway_port}'", f":{fleet.gateway_port}/?envelope=combined'")
    assert combined != connect
    printing = "\nws.onmessage = (event) => console.log('{}', JSON.parse(event.data));"
    async with opened() as (page, printed):
        await page.add_script_tag(content=connect + printing.format("got"))
        await page.wait_for_function("ws.readyState === WebSocket.OPEN")
        await page.evaluate(block("001 subscribe"))
        await until(lambda: sum("kline, data" in line for line in printed.lines) > 1, "candles come")
        await page.evaluate(block("001 unsubscribe"))
        await until(lambda: printed.lines[-1].startswith("got {type: unsubscribed"), "it is left")
        answers = [each for each in await printed.objects("got") if each["type"] != "kline"]
        assert [each["type"] for each in answers] == ["connection", "subscribed", "unsubscribed"]
        assert [each["symbols"] for each in answers[1:]] == [["btcusdt", "ethusdt"]] * 2
        assert answers[1]["options"] == {"interval": "1m"}

        await page.evaluate("ws.close()")
        await page.reload()
        await page.add_script_tag(content=combined + printing.format("combined"))
        await page.wait_for_function("ws.readyState === WebSocket.OPEN")
        await page.evaluate(block("001 subscribe"))
        await until(lambda: any("kline, data" in line for line in printed.lines if line[0] == "c"), "candles come")
        example = await page.evaluate(f"({block('001 message')})")
        candles = [each for each in await printed.objects("combined") if each["type"] == "kline"]
        assert candles
        assert [unlike(example, each) for each in candles] == [[]] * len(candles)
        assert {each["data"]["stream"] for each in candles} <= {"btcusdt@kline_1m", "ethusdt@kline_1m"}
        assert printed.errors == []
