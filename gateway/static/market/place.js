// What the Market view shows: a market, one of its symbols, and an interval.  Pure.

export const INTERVALS = ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d', '3d', '1w', '1M'];
const DEFAULTS = ['BTCUSDT', 'BTCUSD_PERP'];

/** @typedef {{ market: string, symbol: string, interval: string }} Place */

/** The intervals of a market's candles. @param {string} market */
export function intervalsOf(market) {
  return market === 'spot' ? ['1s', ...INTERVALS] : INTERVALS;
}

/** @param {string} market */
export function isFutures(market) {
  return market !== 'spot';
}

/**
 * Where the URL's parts lead; what they leave out is chosen.  A symbol that is not listed stays: it has to be said.
 * @param {string[]} parts market, symbol, interval
 * @param {import('../shell/catalogue.js').Catalogue} catalogue
 * @returns {Place}
 */
export function placeOf([asked = '', symbol = '', interval = ''], catalogue) {
  const market = catalogue.markets.includes(asked) ? asked : (catalogue.markets[0] ?? '');
  const named = catalogue.markets.includes(asked) ? symbol.toUpperCase() : '';
  return {
    market,
    symbol: named || first(market, catalogue),
    interval: intervalsOf(market).includes(interval) ? interval : '1m',
  };
}

/** The symbol to begin with. @param {string} market @param {import('../shell/catalogue.js').Catalogue} catalogue */
function first(market, catalogue) {
  const trading = catalogue.trading(market);
  return DEFAULTS.find((name) => trading.includes(name)) ?? trading[0] ?? '';
}

/**
 * The same symbol on another market, if it is there.
 * @param {Place} place @param {string} market @param {import('../shell/catalogue.js').Catalogue} catalogue
 * @returns {string[]} parts of the URL
 */
export function moved(place, market, catalogue) {
  const symbol = catalogue.find(market, place.symbol) ? place.symbol : first(market, catalogue);
  return [market, symbol, intervalsOf(market).includes(place.interval) ? place.interval : '1m'];
}
