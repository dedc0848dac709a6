// The symbols that somebody keeps an eye on: price, change of a day, and the day as a line.

import { panel } from '../components/panel.js';
import { Decimals, shown } from '../digits.js';
import { marketName } from '../shell/catalogue.js';
import { el, say } from '../shell/dom.js';
import { change } from '../words.js';
import { Candles, ofPayload } from './candles.js';
import { Freshness } from './freshness.js';
import { read } from './reading.js';
import { drawLine } from './sparkline.js';
import { keyOf } from './watched.js';

const INTERVAL = '15m';
const POINTS = 96; // a day of them
const SIZE = /** @type {const} */ ([56, 20]);

/**
 * @param {object} asked
 * @param {import('../paint.js').Paint} asked.paint
 * @param {import('../shell/gateway.js').Gateway} asked.gateway
 * @param {(one: import('./watched.js').Watched) => void} asked.chosen
 * @param {(one: import('./watched.js').Watched) => void} asked.removed
 * @param {(text: string) => void} asked.notice
 */
export function watchlist({ paint, gateway, chosen, removed, notice }) {
  const body = el('tbody', {});
  const heads = ['Symbol', 'Last 24 hours', 'Price', 'Change', ''].map((head, index) =>
    el('th', { scope: 'col', class: index > 1 ? 'number' : '' }, index === 1 || index === 4 ? el('span', { class: 'unseen' }, head || 'Remove') : head));
  const table = el('table', { class: 'grid' }, el('caption', { class: 'unseen' }, 'Watchlist'), el('thead', {}, el('tr', {}, ...heads)), body);
  const { element, tell } = panel('Watchlist', 'watchlist', el('div', { class: 'scroll', tabIndex: 0, role: 'group', 'aria-label': 'Watchlist' }, table));
  /** @type {Map<string, ReturnType<typeof rowOf>>} */
  const rows = new Map();
  /** @type {Map<string, { names: string, stop: () => void, freshness: Freshness }>} */
  const readings = new Map();
  let colours = { up: '', down: '' };

  /** @param {import('./watched.js').Watched} one */
  function rowOf(one) {
    const candles = new Candles();
    const digits = new Decimals();
    const canvas = el('canvas', { width: SIZE[0] * devicePixelRatio, height: SIZE[1] * devicePixelRatio, 'aria-hidden': 'true' });
    const name = el('button', { type: 'button', class: 'plain', onclick: () => chosen(one) }, one.symbol, el('span', { class: 'quiet market-of' }, marketName(one.market).split(' ')[0]));
    const price = el('td', { class: 'number' });
    const moved = el('td', { class: 'number' });
    const remove = el('button', { type: 'button', class: 'plain', 'aria-label': `Remove ${one.symbol}`, onclick: () => removed(one) }, '×');
    const row = el('tr', {}, el('th', { scope: 'row' }, name), el('td', { class: 'line' }, canvas), price, moved, el('td', {}, remove));
    let open = '';
    let last = '';
    let refused = '';

    function draw() {
      say(price, refused ? '—' : last && shown(last, digits.most));
      row.title = refused;
      const fell = Number(last) < Number(open);
      say(moved, open && last ? change(open, last) : '');
      moved.className = `number ${fell ? 'down' : 'up'}`;
      row.dataset.points = String(candles.all.length);
      candles.take(0);
      drawLine(canvas, candles.all.slice(-POINTS).map((candle) => Number(candle.close)), fell ? colours.down : colours.up);
    }

    return {
      row, draw,
      get filled() {
        return candles.all.length > 1;
      },
      /** @param {any} data */
      take(data) {
        if (data.e === 'kline') {
          candles.put(ofPayload(data));
          last = candles.last?.close ?? last;
        } else {
          open = data.o;
          last = data.c;
        }
        digits.see(last);
        paint.ask(draw);
      },
      /** @param {string} why */
      refuse(why) {
        refused = why;
        paint.ask(draw);
      },
      /** @param {boolean} current */
      mark(current) {
        if (current) name.setAttribute('aria-current', 'true');
        else name.removeAttribute('aria-current');
      },
      end: () => paint.forget(draw),
    };
  }

  /** Read what is on the list of one market. @param {string} market @param {import('./watched.js').Watched[]} list */
  function listen(market, list) {
    const symbols = list.filter((one) => one.market === market).map((one) => one.symbol);
    const names = symbols.join(' ');
    if (readings.get(market)?.names === names) return;
    readings.get(market)?.stop();
    readings.delete(market);
    if (symbols.length === 0) return;
    const freshness = new Freshness();
    const lower = symbols.map((symbol) => symbol.toLowerCase());
    /** @type {Record<string, number>} */
    const history = {};
    for (const symbol of symbols) if (!rows.get(keyOf({ market, symbol }))?.filled) history[`${symbol.toLowerCase()}@kline_${INTERVAL}`] = POINTS;
    const row = (/** @type {string} */ stream) => rows.get(keyOf({ market, symbol: stream.slice(0, stream.indexOf('@')).toUpperCase() }));
    const stop = read(gateway, lower.flatMap((symbol) => [`${symbol}@miniTicker`, `${symbol}@kline_${INTERVAL}`]), { market, history }, {
      message: ({ stream, data, history: past, received }) => {
        if (!past) freshness.heard(Date.now(), received);
        row(stream)?.take(data);
      },
      refused: (streams, why) => {
        for (const stream of streams) row(stream)?.refuse(why);
        notice(`Watchlist, ${marketName(market)}: ${why}`);
      },
      open: (open) => freshness.connected(open),
    });
    readings.set(market, { names, stop, freshness });
  }

  return {
    element,
    /** @param {import('./watched.js').Watched[]} list */
    show(list) {
      for (const [key, row] of rows) {
        if (list.some((one) => keyOf(one) === key)) continue;
        row.row.remove();
        row.end();
        rows.delete(key);
      }
      for (const one of list) {
        if (rows.has(keyOf(one))) continue;
        const row = rowOf(one);
        rows.set(keyOf(one), row);
        body.append(row.row);
      }
      for (const market of new Set([...readings.keys(), ...list.map((one) => one.market)])) listen(market, list);
    },
    /** @param {import('./watched.js').Watched} current what the rest of the view shows */
    mark(current) {
      for (const [key, row] of rows) row.mark(key === keyOf(current));
    },
    /** Say how fresh it is: as the worst of its markets. @param {number} now */
    tick(now) {
      const all = [...readings.values()].map(({ freshness }) => freshness);
      const worst = all.find((each) => each.shown(now).kind === 'bad') ?? all.find((each) => each.shown(now).kind === 'poor') ?? all[0];
      tell(worst?.shown(now) ?? { kind: '', text: 'empty' }, all.some((each) => each.stale));
    },
    /** @param {(name: string) => string} colour */
    paintIn(colour) {
      colours = { up: colour('--up'), down: colour('--down') };
      for (const row of rows.values()) paint.ask(row.draw);
    },
    end() {
      for (const { stop } of readings.values()) stop();
      for (const row of rows.values()) row.end();
    },
  };
}
