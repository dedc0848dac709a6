// npm's `binance` as its users use it, with other base URLs.  Prints one JSON line per thing received.
// Argument: host and port of the gateway, for everything.
'use strict';

const { MainClient, USDMClient, CoinMClient, WebsocketClient } = require('binance');

const [gateway] = process.argv.slice(2);
const show = (what, value) => process.stdout.write(JSON.stringify({ what, value }) + '\n');
const silent = { trace() {}, info() {}, error: (...said) => show('error', said.map(String)) };

async function rest() {
  // Literally one base URL: Binance's paths say whose they are.
  const [spot, usdm, coinm] = [MainClient, USDMClient, CoinMClient].map(
    (Client) => new Client({ baseUrl: `http://${gateway}` }),
  );
  show('ping', [await spot.testConnectivity(), await usdm.testConnectivity(), await coinm.testConnectivity()]);
  show('symbols', (await spot.getExchangeInfo()).symbols.length);
  show('klines', await spot.getKlines({ symbol: 'BTCUSDT', interval: '1m', limit: 5 }));
  show('depth', await spot.getOrderBook({ symbol: 'BTCUSDT', limit: 5 }));
  show('average', await spot.getAvgPrice({ symbol: 'BTCUSDT' }));
  show('tickers', (await spot.get24hrChangeStatistics({ symbols: ['BTCUSDT', 'ETHUSDT'] })).map((each) => each.symbol));
  show('usdm_klines', await usdm.getKlines({ symbol: 'BTCUSDT', interval: '1h', limit: 3 }));
  show('usdm_mark', await usdm.getMarkPrice({ symbol: 'BTCUSDT' }));
  show('usdm_funding', await usdm.getFundingRateHistory({ symbol: 'BTCUSDT', limit: 3 }));
  show('coinm_klines', await coinm.getKlines({ symbol: 'BTCUSD_PERP', interval: '1h', limit: 3 }));
  show('coinm_book', await coinm.getSymbolOrderBookTicker({ symbol: 'BTCUSD_PERP' }));
  await spot.getSymbolPriceTicker({ symbol: 'NOPE' }).catch((error) => show('unknown', [error.code, error.message]));
  const signed = new MainClient({ baseUrl: `http://${gateway}/spot`, api_key: 'key', api_secret: 'secret' });
  await signed.getAccountInformation().catch((error) => show('account', [error.code, error.message]));
}

// Subscribes, and shows one message of each stream.
function read(base, key, topics) {
  return new Promise((resolve) => {
    const client = new WebsocketClient({ wsUrl: `ws://${gateway}/${base}`, beautify: false }, silent);
    const wanted = new Set(topics);
    client.on('exception', (error) => show('error', String(error && error.message ? error.message : error)));
    client.on('message', (message) => {
      if (wanted.delete(message.streamName)) show(base, message);
      if (wanted.size === 0) {
        client.closeAll(true);
        resolve();
      }
    });
    client.subscribe(topics, key);
  });
}

(async () => {
  await rest();
  await read('spot', 'main', ['btcusdt@kline_1m', 'btcusdt@aggTrade', 'ethusdt@depth5@100ms']);
  await read('usdm', 'usdm', ['btcusdt@kline_1m', 'btcusdt@depth@100ms', 'btcusdt@bookTicker', 'btcusdt@markPrice@1s']);
  await read('coinm', 'coinm', ['btcusd_perp@aggTrade', 'btcusd_perp@bookTicker']);
  show('done', true);
  process.exit(0);
})();
