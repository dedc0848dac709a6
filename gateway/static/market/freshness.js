// How fresh what a panel shows is: live, quiet for a while, cut off, or refused.  Pure.

import { age, clock } from '../words.js';

const QUIET_MS = 5000; // without a message for so long it says since when; most streams speak every second

/** @typedef {{ kind: 'good' | 'poor' | 'bad' | '', text: string }} Shown */

export class Freshness {
  #last = 0;
  #open = false;
  #refused = '';

  /**
   * A message came; by another clock it may have been received before.  What that clock says is still to come is not believed: it would
   * be live until then.
   * @param {number} now milliseconds since 1970 @param {number} [received]
   */
  heard(now, received = now) {
    this.#last = Math.max(this.#last, Math.min(now, received));
  }

  /** The connection is open, or not. @param {boolean} open */
  connected(open) {
    this.#open = open;
  }

  /** The gateway does not give it. @param {string} why empty: it does */
  refuse(why) {
    this.#refused = why;
  }

  /** Something else is shown from now on. */
  restart() {
    this.#last = 0;
    this.#refused = '';
  }

  /** Whether what is shown may be out of date without saying so itself. */
  get stale() {
    return this.#last > 0 && !this.#open;
  }

  /** @param {number} now milliseconds since 1970 @returns {Shown} */
  shown(now) {
    if (this.#refused) return { kind: 'bad', text: this.#refused };
    if (!this.#open) return { kind: 'bad', text: this.#last ? `stale since ${clock(this.#last)}` : 'not connected' };
    if (!this.#last) return { kind: '', text: 'waiting for the first message' };
    const silence = now - this.#last;
    return silence < QUIET_MS ? { kind: 'good', text: 'live' } : { kind: 'poor', text: `quiet for ${age(silence)}` };
  }
}
