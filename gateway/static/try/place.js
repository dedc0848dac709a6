// A choice as it stands in the page's URL: `#/try/native/spot/BTCUSDT,ETHUSDT/kline,trade/interval=5m&history=3`.  Pure.

import { CHOICE, DIALECTS } from './recipes.js';
import { MARKETS, TYPES } from './streams.js';

const NAMED = ['dialect', 'market', 'symbols', 'types', 'token']; // all others are options

/** Symbols as people write them: separated by anything but letters. @param {string} text @returns {string[]} */
export function symbolsOf(text) {
  return [...new Set(text.normalize('NFC').toUpperCase().split(/[\s,;/]+/).filter(Boolean))];
}

/** @param {typeof CHOICE} choice @returns {string[]} */
export function partsOf(choice) {
  const options = Object.entries(CHOICE).filter(([name, usual]) => !NAMED.includes(name) && choice[name] !== usual);
  const written = options.map(([name]) => `${name}=${choice[name]}`).join('&');
  const parts = [choice.dialect, choice.market, choice.symbols.join(',') || '-', choice.types.join(',') || '-', written];
  return written ? parts : parts.slice(0, 4);
}

/** What parts mean; what makes no sense is as usual. @param {string[]} parts @returns {typeof CHOICE} */
export function choiceOf([dialect, market, symbols, types, options] = []) {
  const choice = { ...CHOICE };
  if (dialect in DIALECTS) choice.dialect = dialect;
  if (MARKETS.includes(market)) choice.market = market;
  if (symbols !== undefined) choice.symbols = symbolsOf(symbols.replace(/^-$/, ''));
  if (types !== undefined) choice.types = types.split(',').filter((type) => type in TYPES);
  for (const pair of (options ?? '').split('&')) {
    const [name, value] = pair.split('=');
    if (!(name in CHOICE) || NAMED.includes(name) || value === undefined) continue;
    choice[name] = like(CHOICE[name], value);
  }
  return choice;
}

/** A value of the type that is usual there. @param {unknown} usual @param {string} value */
function like(usual, value) {
  if (typeof usual === 'boolean') return value === 'true';
  return typeof usual === 'number' ? Number(value) || 0 : value;
}
