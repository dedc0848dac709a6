// The newest trades, the newest first.  Pure.

/**
 * @typedef {object} Trade
 * @property {number} id of the aggregated trade
 * @property {number} time milliseconds
 * @property {string} price
 * @property {string} quantity
 * @property {boolean} bought whether the buyer took it: a seller was waiting in the book
 */

/** Of an aggregated trade's payload. @param {any} payload @returns {Trade} */
export function tradeOf({ a, T, p, q, m }) {
  return { id: a, time: T, price: p, quantity: q, bought: !m };
}

export class Tape {
  /** @type {Trade[]} */
  #trades = [];
  #most;

  /** @param {number} most so many are kept */
  constructor(most) {
    this.#most = most;
  }

  get trades() {
    return this.#trades;
  }

  clear() {
    this.#trades = [];
  }

  /** One that came; late ones find their place. @param {Trade} trade */
  put(trade) {
    let at = 0;
    while (at < this.#trades.length && this.#trades[at].id > trade.id) at++;
    if (this.#trades[at]?.id === trade.id || at >= this.#most) return;
    this.#trades.splice(at, 0, trade);
    if (this.#trades.length > this.#most) this.#trades.pop();
  }
}
