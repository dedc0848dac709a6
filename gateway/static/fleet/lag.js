// How long messages take, hop by hop, by the stamps that a gateway puts on them (`?stamps=1`).  Pure.

/** @typedef {{ event: number | null, received: number, published: number, gateway: number, sent: number, offset: number | null }} Stamps ms, but ns for the four in the middle */

export const HOPS = ['exchange to worker', 'in the worker', 'NATS to gateway', 'in the gateway'];
const NS = 1e6; // in a millisecond

/** Milliseconds of each hop; null where it cannot be known. @param {Stamps} stamps */
export function hops({ event, received, published, gateway, sent, offset }) {
  // `offset` is how far the exchange's clock is ahead of the worker's: without it the first hop is a guess.
  const happened = event === null || event === undefined || offset === null || offset === undefined ? null : event - offset;
  return [
    happened === null ? null : received / NS - happened,
    (published - received) / NS,
    (gateway - published) / NS,
    (sent - gateway) / NS,
  ];
}

/** The newest messages' hops: bounded. */
export class Lags {
  /** @type {(number | null)[][]} */
  #kept = [];

  constructor(most = 200) {
    this.most = most;
  }

  /** @param {Stamps} stamps */
  add(stamps) {
    this.#kept.push(hops(stamps));
    if (this.#kept.length > this.most) this.#kept.shift();
  }

  get length() {
    return this.#kept.length;
  }

  /** By hop: the middle one, the 99th of a hundred and the longest, in ms. */
  get summary() {
    return HOPS.map((name, index) => {
      const all = this.#kept.map((each) => each[index]).filter((each) => each !== null);
      const sorted = /** @type {number[]} */ (all).sort((one, other) => one - other);
      const at = (/** @type {number} */ part) => (sorted.length ? sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] : null);
      return { name, p50: at(0.5), p99: at(0.99), most: at(1) };
    });
  }
}
