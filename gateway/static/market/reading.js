// Streams of several kinds over one connection, where the gateway may refuse some of them: the others go on.

/**
 * @typedef {object} Calls
 * @property {(said: any) => void} message
 * @property {(gap: any) => void} [gap]
 * @property {(end: { stream: string, count: number, error?: string }) => void} [past] all of a stream's past that there is has come
 * @property {(names: string[], why: string) => void} [refused] these are not given; the others are
 * @property {(open: boolean) => void} [open] whether the connection is there
 */

/**
 * @param {import('../shell/gateway.js').Gateway} gateway
 * @param {string[]} names
 * @param {{ market: string, history?: Record<string, number> }} options
 * @param {Calls} calls
 * @returns {() => void} ends it
 */
export function read(gateway, names, options, calls) {
  let wanted = names;
  let over = false;
  /** @type {() => void} */
  let stop = () => {};

  function begin() {
    if (over || wanted.length === 0) return;
    stop = gateway.stream(wanted, {
      ...options,
      message: calls.message,
      gap: calls.gap,
      past: calls.past,
      state: (/** @type {string} */ state) => calls.open?.(state === 'open'),
      error: (/** @type {{ code: string, message?: string, part?: unknown }} */ { code, message, part }) => {
        const refused = Array.isArray(part) ? wanted.filter((name) => part.includes(name)) : wanted;
        calls.refused?.(refused.length ? refused : wanted, message ?? code);
        wanted = refused.length ? wanted.filter((name) => !refused.includes(name)) : [];
        queueMicrotask(begin); // when the refused connection has been closed
      },
    });
  }

  begin();
  return () => {
    over = true;
    stop();
  };
}
