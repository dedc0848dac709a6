// Which symbols are on the watchlist.  Pure, but for where they are kept.

const KEY = 'fsnats.watchlist';
const FIRST = 12; // symbols of a list that nobody has made yet
export const MOST = 200;

/** @typedef {{ market: string, symbol: string }} Watched */
/** @typedef {import('../shell/kept.js').Keeps} Keeps */

/** One symbol's name in tables. @param {Watched} watched */
export function keyOf({ market, symbol }) {
  return `${market}:${symbol}`;
}

/** @param {import('../shell/catalogue.js').Catalogue} catalogue @param {Keeps} storage @returns {Watched[]} */
export function load(catalogue, storage) {
  try {
    const kept = JSON.parse(storage.getItem(KEY) ?? '');
    if (Array.isArray(kept)) return kept.filter((each) => typeof each?.market === 'string' && typeof each?.symbol === 'string').slice(0, MOST);
  } catch {
    // None was made, or by something else.
  }
  const market = catalogue.markets[0] ?? '';
  return catalogue.trading(market).slice(0, FIRST).map((symbol) => ({ market, symbol }));
}

/** @param {Watched[]} watched @param {Keeps} storage */
export function keep(watched, storage) {
  storage.setItem(KEY, JSON.stringify(watched));
}

/** With a symbol that was not there, or without one that was. @param {Watched[]} list @param {Watched} one @returns {Watched[]} */
export function toggled(list, one) {
  const without = list.filter((each) => keyOf(each) !== keyOf(one));
  return without.length < list.length ? without : [...list, { market: one.market, symbol: one.symbol }].slice(-MOST);
}
