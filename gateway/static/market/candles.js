// The candles of one chart, in their order, whichever way they come: the past, live ones, late ones, older ones.  Pure.

export const MOST = 10_000; // candles of one chart: a page may be open for weeks
const ROOM = 1000; // above that, before the oldest go

/**
 * One candle: `time` is its opening in milliseconds, everything else the exchange's strings.
 * @typedef {object} Candle
 * @property {number} time
 * @property {string} open
 * @property {string} high
 * @property {string} low
 * @property {string} close
 * @property {string} volume
 */

/** Of a stream's payload. @param {any} payload @returns {Candle} */
export function ofPayload({ k }) {
  return { time: k.t, open: k.o, high: k.h, low: k.l, close: k.c, volume: k.v };
}

/** Of a row as REST has it. @param {any[]} row @returns {Candle} */
export function ofRow([time, open, high, low, close, volume]) {
  return { time, open, high, low, close, volume };
}

export class Candles {
  /** @type {Candle[]} */
  #all = [];
  #anew = false;
  /** The first one that changed since it was last asked for; all of them where nothing else will do. */
  #changed = Infinity;

  get all() {
    return this.#all;
  }

  get last() {
    return this.#all.at(-1);
  }

  clear() {
    this.#all = [];
    this.#changed = -1;
  }

  /** What comes next replaces all: between that and what is here something may be missing. */
  restart() {
    this.#anew = true;
  }

  /** One that came over the stream. @param {Candle} candle */
  put(candle) {
    if (this.#anew) {
      this.#all = [];
      this.#anew = false;
      this.#changed = -1;
    }
    let at = this.#all.length;
    while (at > 0 && this.#all[at - 1].time > candle.time) at--;
    if (at > 0 && this.#all[at - 1].time === candle.time) {
      this.#all[at - 1] = candle;
      this.#changed = Math.min(this.#changed, at - 1);
    } else {
      this.#all.splice(at, 0, candle);
      this.#changed = Math.min(this.#changed, at);
    }
    if (this.#all.length > MOST + ROOM) {
      this.#all = this.#all.slice(-MOST);
      this.#changed = -1;
    }
  }

  /** Older ones, in their order. @param {Candle[]} older @returns {boolean} whether there were any, and room for them */
  prepend(older) {
    if (this.#all.length >= MOST) return false;
    const first = this.#all[0]?.time ?? Infinity;
    const before = older.filter((candle) => candle.time < first);
    if (before.length === 0) return false;
    this.#all = [...before, ...this.#all];
    this.#changed = -1;
    return true;
  }

  /** The candle that opened then. @param {number} time */
  at(time) {
    let low = 0;
    let high = this.#all.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.#all[middle].time === time) return this.#all[middle];
      if (this.#all[middle].time < time) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /**
   * What has changed since the last call.
   * @param {number} drawn how many of them were drawn then
   * @returns {{ all: boolean, from?: Candle[] }} all of them anew, or those at the end
   */
  take(drawn) {
    const changed = this.#changed;
    this.#changed = Infinity;
    if (changed === Infinity) return { all: false, from: [] };
    // The last one that was drawn may be drawn again, and others after it; anything else is drawn anew.
    return drawn > 0 && changed >= drawn - 1 ? { all: false, from: this.#all.slice(changed) } : { all: true };
  }
}
