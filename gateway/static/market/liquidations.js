// Liquidations of a futures symbol as they happen.  There may be none for hours.

import { grid, panel } from '../components/panel.js';
import { shown } from '../digits.js';
import { el, say } from '../shell/dom.js';
import { clock } from '../words.js';

const ROWS = 20;

/** @param {{ paint: import('../paint.js').Paint, digits: { price: import('../digits.js').Decimals, quantity: import('../digits.js').Decimals } }} asked */
export function liquidationsPanel({ paint, digits }) {
  /** @type {{ S: string, p: string, q: string, T: number }[]} */
  let orders = [];
  const none = el('p', { class: 'quiet none' });
  const table = grid('Liquidations, the newest first', ['Side', 'Price', 'Quantity', 'UTC'], ROWS);
  const { element, tell } = panel('Liquidations', 'liquidations', none, el('div', { class: 'scroll', tabIndex: 0, role: 'group', 'aria-label': 'Liquidations' }, table.table));

  function draw() {
    none.hidden = orders.length > 0;
    table.rows.forEach((_, index) => {
      const order = orders[index];
      if (!order) table.set(index, []);
      else table.set(index, [order.S === 'BUY' ? 'Buy' : 'Sell', shown(order.p, digits.price.most), shown(order.q, 0), clock(order.T)], order.S === 'BUY' ? 'up' : 'down');
    });
  }

  function restart() {
    orders = [];
    say(none, `None since ${clock(Date.now())} UTC`);
    paint.ask(draw);
  }

  return {
    element,
    tell,
    restart,
    /** @param {any} data */
    message(data) {
      orders = [data.o, ...orders].slice(0, ROWS);
      paint.ask(draw);
    },
    /** Some may be missing until now. @returns {boolean} whether the panel itself says so: that there was none holds from now on */
    missed() {
      if (orders.length > 0) return false;
      restart();
      return true;
    },
    end: () => paint.forget(draw),
  };
}
