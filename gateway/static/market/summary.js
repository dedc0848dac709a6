// The line above the chart: the last price and the day; for futures mark price, index and funding.

import { grouped, shown } from '../digits.js';
import { el, say } from '../shell/dom.js';
import { percent, until } from '../words.js';

const DAY = /** @type {const} */ (['24 h change', '24 h high', '24 h low', '24 h volume', '24 h quote volume']);
const FUTURES = /** @type {const} */ (['Mark price', 'Index price', 'Funding', 'Next funding in']);

/** @param {{ paint: import('../paint.js').Paint, digits: { price: import('../digits.js').Decimals } }} asked */
export function summary({ paint, digits }) {
  const last = el('span', { class: 'last' });
  const values = new Map([...DAY, ...FUTURES].map((name) => [name, el('dd', {})]));
  const groups = new Map([...values].map(([name, value]) => [name, el('div', {}, el('dt', {}, name), value)]));
  const element = el('div', { class: 'summary' }, last, el('dl', {}, ...groups.values()));
  /** @type {any} */
  let ticker;
  /** @type {any} */
  let mark;
  let price = '';
  let before = '';

  /** @param {string} name @param {string} text @param {string} [kind] */
  function put(name, text, kind = '') {
    const value = /** @type {HTMLElement} */ (values.get(/** @type {any} */ (name)));
    say(value, text);
    if (value.className !== kind) value.className = kind;
  }

  function draw() {
    const priced = (/** @type {string} */ text) => shown(text, digits.price.most);
    say(last, price ? priced(price) : '');
    if (price !== before) {
      last.className = `last ${before ? (Number(price) < Number(before) ? 'down' : 'up') : ''}`;
      before = price;
    }
    if (ticker) {
      const fell = ticker.P.startsWith('-');
      put('24 h change', `${fell ? '' : '+'}${priced(ticker.p)} (${fell ? '' : '+'}${ticker.P} %)`, fell ? 'down' : 'up');
      put('24 h high', priced(ticker.h));
      put('24 h low', priced(ticker.l));
      put('24 h volume', grouped(shown(ticker.v, 0)));
      put('24 h quote volume', grouped(shown(ticker.q, 0)));
    }
    if (mark) {
      put('Mark price', shown(mark.p, 0));
      put('Index price', shown(mark.i, 0));
      put('Funding', mark.T ? percent(mark.r) : 'none', mark.r?.startsWith('-') ? 'down' : 'up');
      put('Next funding in', mark.T ? until(mark.T - Date.now()) : '');
    }
  }

  return {
    element,
    draw,
    /** @param {any} data */
    ticked(data) {
      ticker = data;
      paint.ask(draw);
    },
    /** @param {any} data */
    marked(data) {
      mark = data;
      paint.ask(draw);
    },
    /** @param {string} text the last price there was */
    traded(text) {
      price = text;
      paint.ask(draw);
    },
    /** @param {boolean} futures */
    restart(futures) {
      ticker = mark = undefined;
      price = before = '';
      for (const name of FUTURES) /** @type {HTMLElement} */ (groups.get(name)).hidden = !futures;
      for (const value of values.values()) say(value, '');
      paint.ask(draw);
    },
    end: () => paint.forget(draw),
  };
}
