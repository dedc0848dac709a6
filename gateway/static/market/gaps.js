// What a notice of missing messages says, and whether the chart has to be fetched anew for it.  Pure.

import { clock } from '../words.js';

const KINDS = /** @type {Record<string, string>} */ ({ a: 'aggregated trades', t: 'trades', u: 'changes of the book' });
const LASTING = new Set(['silent', 'delisted', 'halted']);
const HARMLESS = new Set([...LASTING, 'late']); // nothing that REST has is missing from what is shown

/** @typedef {{ stream: string, from?: number, to?: number, unit?: string, reason: string, missed?: number }} Gap */

/** @param {Gap} gap */
export function words({ stream, from, to, unit, reason }) {
  if (reason === 'silent') return `${stream} says nothing although it should, since ${clock(from ?? 0)} UTC`;
  if (reason === 'delisted' || reason === 'halted') return `${stream}: the symbol is ${reason}`;
  if (reason === 'late') return `${stream}: messages are late, they follow`;
  if (from === undefined || to === undefined) return `${stream}: ${reason}`;
  if (unit === 'ms') return `${stream}: missing from ${clock(from)} to ${clock(to)} UTC, ${reason}`;
  return `${stream}: ${KINDS[unit ?? ''] ?? 'messages'} ${from} to ${to} are missing, ${reason}`;
}

/** Whether to tell: of a state (a ticker, the book's top) the newest replaces what was missed. @param {Gap} gap */
export function matters({ stream, reason }) {
  return LASTING.has(reason) || /@(aggTrade|forceOrder|kline_\w+)$/.test(stream);
}

/** Whether what is shown of a stream lacks something that its history has. @param {Gap} gap */
export function lacks({ reason }) {
  return !HARMLESS.has(reason);
}
