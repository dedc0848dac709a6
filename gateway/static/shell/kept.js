// What is kept in the browser, or for a tab; where nothing may be kept (cookies are blocked, a frame is sandboxed, it is full), for
// as long as the page is open.

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} Keeps */

/** @implements {Keeps} */
export class Kept {
  /** @type {Map<string, string>} */
  #page = new Map();
  #storage;

  /** @param {() => Keeps} storage to ask for it may be refused already */
  constructor(storage) {
    this.#storage = storage;
  }

  /** @param {string} key */
  getItem(key) {
    return this.#tried((storage) => storage.getItem(key)) ?? this.#page.get(key) ?? null;
  }

  /** @param {string} key @param {string} value */
  setItem(key, value) {
    this.#page.set(key, value);
    this.#tried((storage) => storage.setItem(key, value));
  }

  /** @param {string} key */
  removeItem(key) {
    this.#page.delete(key);
    this.#tried((storage) => storage.removeItem(key));
  }

  /** @template T @param {(storage: Keeps) => T} act @returns {T | undefined} */
  #tried(act) {
    try {
      return act(this.#storage());
    } catch {
      return undefined; // the page has it
    }
  }
}

export const browser = new Kept(() => localStorage);
export const tab = new Kept(() => sessionStorage);
