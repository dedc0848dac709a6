// One value that several parts of the page look at.

/** @template T */
export class Store {
  #value;
  /** @type {Set<(value: T) => void>} */
  #readers = new Set();

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  /** Tell all readers, unless it is what they know already. @param {T} value */
  set(value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const read of [...this.#readers]) read(value);
  }

  /**
   * Call `read` with the value now and with each one that comes, until the function that is returned is called.
   * @param {(value: T) => void} read
   * @returns {() => void}
   */
  subscribe(read) {
    this.#readers.add(read);
    read(this.#value);
    return () => this.#readers.delete(read);
  }
}
