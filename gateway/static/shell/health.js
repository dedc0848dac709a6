// How the connections to the gateway are, in one word for all of them.  Pure.

/** @typedef {'connecting' | 'open' | 'waiting' | 'closed'} StreamState as /fsnats.js tells it */
/** @typedef {{ kind: 'good' | 'poor' | 'bad', text: string }} Health */

/**
 * @param {Iterable<StreamState>} states of the streams that are wanted
 * @param {string} trouble why the gateway did not answer a request; empty when it did
 * @returns {Health}
 */
export function health(states, trouble) {
  const all = [...states];
  if (trouble) return { kind: 'bad', text: trouble };
  if (all.includes('waiting')) return { kind: 'bad', text: 'Connection lost, trying again' };
  if (all.includes('connecting')) return { kind: 'poor', text: 'Connecting' };
  return { kind: 'good', text: 'Connected' };
}
