// How fast things go: the difference between two looks.  Pure.
//
// A rate is unknown (null) at the first look, when no time lies between two, and when the program was started again meanwhile:
// its counters began at nothing, and a difference would be wrong.

/** @typedef {import('./look.js').Look} Look */

export class Rates {
  /** @type {Map<string, number>} by what is counted */
  #counts = new Map();
  /** @type {Map<string, number | null>} */
  #rates = new Map();
  #at = 0;

  /** Take a look in, the same one twice or not. @param {Look} look */
  add(look) {
    if (look.at === this.#at) return;
    const seconds = (look.at - this.#at) / 1000;
    const known = this.#counts;
    this.#counts = new Map(counted(look));
    this.#rates = new Map();
    for (const [key, count] of this.#counts) {
      const before = known.get(key);
      const isKnown = before !== undefined && count >= before && seconds > 0 && this.#at > 0;
      this.#rates.set(key, isKnown ? (count - before) / seconds : null);
    }
    this.#at = look.at;
  }

  /**
   * Of one counter, a second; null where it is not known.
   * @param {{ name: string, pid?: number | null }} program @param {string} what
   */
  of(program, what) {
    return this.#rates.get(key(program, what)) ?? null;
  }

  /** Of the same counter of several programs: null where none is known. @param {{ name: string, pid?: number | null }[]} programs @param {string} what */
  sum(programs, what) {
    const known = programs.map((each) => this.of(each, what)).filter((each) => each !== null);
    return known.length ? known.reduce((sum, each) => sum + each, 0) : null;
  }
}

// The process is part of the name: another one has counters of its own.
/** @param {{ name: string, pid?: number | null }} program @param {string} what */
function key({ name, pid }, what) {
  return `${name} ${pid} ${what}`;
}

/** @param {Look} look @returns {Iterable<[string, number]>} */
function* counted(look) {
  for (const each of [...look.workers, ...look.gateways, ...look.recorders, ...look.captures]) {
    for (const [name, value] of Object.entries(each.counts)) {
      if (typeof value === 'number') yield [key(each, name), value];
    }
    for (const connection of each.connections ?? []) yield [key(each, connection.id), connection.message_count];
  }
}
