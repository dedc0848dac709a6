// Which streams there are to choose from, and what Binance calls them.  tests/gateway/static/test_try.py holds these tables
// to the gateway's own.

export const MARKETS = ['spot', 'usdm', 'coinm'];

const EVERYWHERE = MARKETS;
const FUTURES = ['usdm', 'coinm'];

// `word` is Binance's; `options` choose a variant; `state`: the newest message replaces all before it; `history`: past events
// can come first.
export const TYPES = {
  kline: { word: 'kline', markets: EVERYWHERE, options: ['interval'], state: true, history: true },
  depth: { word: 'depth', markets: EVERYWHERE, options: ['level', 'updateSpeed'] },
  ticker: { word: 'ticker', markets: EVERYWHERE, options: [], state: true },
  miniTicker: { word: 'miniTicker', markets: EVERYWHERE, options: [], state: true },
  bookTicker: { word: 'bookTicker', markets: EVERYWHERE, options: [], state: true },
  aggTrade: { word: 'aggTrade', markets: EVERYWHERE, options: [], history: true },
  trade: { word: 'trade', markets: EVERYWHERE, options: [], history: true },
  markPrice: { word: 'markPrice', markets: FUTURES, options: ['updateSpeed'], state: true },
  liquidation: { word: 'forceOrder', markets: FUTURES, options: [] },
  continuousKline: { word: 'continuousKline', markets: FUTURES, options: ['interval', 'contractType'], state: true },
};

const INTERVALS = ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d', '3d', '1w', '1M'];
export const LEVELS = ['', '5', '10', '20']; // without one: the changes of the book
export const CONTRACTS = ['perpetual', 'current_quarter', 'next_quarter', 'tradifi_perpetual'];

// By market, with the ending that each gives a stream's name.
const FUTURES_SPEEDS = { '250ms': '', '500ms': '@500ms', '100ms': '@100ms' };
export const DEPTH_SPEEDS = { spot: { '1000ms': '', '100ms': '@100ms' }, usdm: FUTURES_SPEEDS, coinm: FUTURES_SPEEDS };
export const MARK_PRICE_SPEEDS = { '3s': '', '1s': '@1s' };

export function intervalsOf(market, type = 'kline') {
  const seconds = type === 'continuousKline' ? market === 'usdm' : market === 'spot';
  return seconds ? ['1s', ...INTERVALS] : INTERVALS;
}

export function typesOf(market) {
  return Object.keys(TYPES).filter((type) => TYPES[type].markets.includes(market));
}

export function speedsOf(market, type) {
  return type === 'depth' ? DEPTH_SPEEDS[market] : type === 'markPrice' ? MARK_PRICE_SPEEDS : {};
}

// Partial depth is a state; its changes are events.
export function isState(type, { level }) {
  return type === 'depth' ? Boolean(level) : Boolean(TYPES[type].state);
}

export function isCandle(type) {
  return type === 'kline' || type === 'continuousKline';
}

// The options of `subscribe` that choose this variant of a type.
export function variantOf(type, { market, interval, level, updateSpeed, contractType }) {
  const chosen = { interval: interval || '1m', level, updateSpeed, contractType: contractType || 'perpetual' };
  const variant = {};
  for (const name of TYPES[type].options) {
    if (!chosen[name] || (name === 'updateSpeed' && !(updateSpeed in speedsOf(market, type)))) continue;
    variant[name] = name === 'level' ? Number(level) : chosen[name];
  }
  return variant;
}

// Binance's name of the stream of one symbol.
export function nameOf(type, symbol, choice) {
  const variant = variantOf(type, choice);
  const contract = variant.contractType ? `_${variant.contractType}` : '';
  const interval = variant.interval ? `_${variant.interval}` : '';
  const speed = speedsOf(choice.market, type)[variant.updateSpeed] ?? '';
  return `${symbol.toLowerCase()}${contract}@${TYPES[type].word}${interval}${variant.level ?? ''}${speed}`;
}

export function namesOf(choice) {
  const names = choice.types.flatMap((type) => choice.symbols.map((symbol) => nameOf(type, symbol, choice)));
  return [...new Set(names)];
}
