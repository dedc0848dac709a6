// The depth ladder: asks above, bids below, the best of both in the middle.

import { grid, panel } from '../components/panel.js';
import { shown } from '../digits.js';
import { el, say } from '../shell/dom.js';
import { ladder } from './ladder.js';

const LEVELS = 15;

/** @param {{ paint: import('../paint.js').Paint, digits: { price: import('../digits.js').Decimals, quantity: import('../digits.js').Decimals } }} asked */
export function bookPanel({ paint, digits }) {
  const asks = grid('Asks, the best last', ['Price', 'Quantity'], LEVELS);
  const bids = grid('Bids, the best first', ['Price', 'Quantity'], LEVELS);
  const middle = el('p', { class: 'spread number' });
  const { element, tell } = panel('Depth', 'book', asks.table, middle, bids.table);
  bids.table.tHead?.classList.add('unseen');
  /** @type {any} */
  let payload;

  function draw() {
    const { asks: above, bids: below } = payload ? ladder(payload, LEVELS) : { asks: [], bids: [] };
    fill(asks, [...Array(LEVELS - above.length).fill(undefined), ...[...above].reverse()], 'ask');
    fill(bids, below, 'bid');
    say(middle, above[0] && below[0] ? `${shown(below[0].price, digits.price.most)} — ${shown(above[0].price, digits.price.most)}` : '');
  }

  /** @param {ReturnType<typeof grid>} side @param {(import('./ladder.js').Level | undefined)[]} levels @param {string} kind */
  function fill(side, levels, kind) {
    side.rows.forEach((row, index) => {
      const level = levels[index];
      side.set(index, level ? [shown(level.price, digits.price.most), shown(level.quantity, digits.quantity.most)] : [], kind);
      row.style.setProperty('--part', level ? `${(level.part * 100).toFixed(1)}%` : '0%');
    });
  }

  return {
    element,
    tell,
    /** @param {any} data */
    message(data) {
      payload = data;
      for (const [price, quantity] of [...(data.bids ?? data.b), ...(data.asks ?? data.a)]) {
        digits.price.see(price);
        digits.quantity.see(quantity);
      }
      paint.ask(draw);
    },
    restart() {
      payload = undefined;
      paint.ask(draw);
    },
    end: () => paint.forget(draw),
  };
}
