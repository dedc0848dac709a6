// The tape: who took what, and when.  A word says which side it was, not the colour alone.

import { grid, panel } from '../components/panel.js';
import { shown } from '../digits.js';
import { el } from '../shell/dom.js';
import { clock } from '../words.js';
import { Tape, tradeOf } from './tape.js';

export const TRADES = 40;

/** @param {{ paint: import('../paint.js').Paint, digits: { price: import('../digits.js').Decimals, quantity: import('../digits.js').Decimals } }} asked */
export function tradesPanel({ paint, digits }) {
  const tape = new Tape(TRADES);
  const table = grid('Trades, the newest first', ['Side', 'Price', 'Quantity', 'UTC'], TRADES);
  const { element, tell } = panel('Trades', 'trades', el('div', { class: 'scroll', tabIndex: 0, role: 'group', 'aria-label': 'Trades' }, table.table));

  function draw() {
    for (let index = 0; index < TRADES; index++) {
      const trade = tape.trades[index];
      if (!trade) table.set(index, []);
      else table.set(index, [trade.bought ? 'Buy' : 'Sell', shown(trade.price, digits.price.most), shown(trade.quantity, digits.quantity.most), clock(trade.time)], trade.bought ? 'up' : 'down');
    }
    element.dataset.newest = String(tape.trades[0]?.id ?? '');
  }

  return {
    element,
    tell,
    /** @param {any} data */
    message(data) {
      const trade = tradeOf(data);
      tape.put(trade);
      digits.price.see(trade.price);
      digits.quantity.see(trade.quantity);
      paint.ask(draw);
    },
    restart() {
      tape.clear();
      paint.ask(draw);
    },
    end: () => paint.forget(draw),
  };
}
