// What happened (`/api/fleet/events`), a sentence each.  Pure.

import { count, counted } from './words.js';

/** @typedef {{ id: string, at: number, kind: string, program: string, market?: string, reason?: string, connection?: string, exit?: string, child?: string, streams?: string[], count?: number, messages?: number }} Event */

const SENTENCES = /** @type {Record<string, [string, string, (event: Event) => string]>} */ ({
  gap: ['bad', 'gap', (each) => `${who(each)}: ${ofStreams(each)} lost messages that cannot be had${because(each)}`],
  recovered: ['good', 'recovered', (each) => `${who(each)}: ${counted(each.messages ?? 0, 'missing message')} of ${ofStreams(each)} fetched and sent`],
  lost: ['bad', 'lost', (each) => `${each.connection || who(each)} is not connected${because(each)}`],
  connected: ['good', 'connected', (each) => `${each.connection || who(each)} is connected${by(each)}`],
  rotated: ['', 'replaced', (each) => `${each.connection || who(each)} took the place of one that still carried${by(each)}`],
  exit: ['poor', 'exit', (each) => `${each.connection || who(each)} goes another way${by(each)}${because(each)}`],
  silent: ['bad', 'silent', (each) => `${who(each)}: ${ofStreams(each)} should speak and do not${because(each)}`],
  flows: ['good', 'flows', (each) => `${who(each)}: ${ofStreams(each)} speak again`],
  ended: ['bad', 'ended', (each) => `${each.child || who(each)} ended${because(each)}`],
  ready: ['good', 'ready', (each) => `${each.child || who(each)} is ready`],
});

/** How bad it is, a word for it, and what happened. @param {Event} event @returns {{ kind: string, word: string, text: string }} */
export function sentence(event) {
  const [kind, word, say] = SENTENCES[event.kind] ?? ['', event.kind, () => `${who(event)}${because(event)}`];
  return { kind, word, text: say(event) };
}

/** @param {Event} event */
function who({ program }) {
  return program;
}

/** @param {Event} event */
function because({ reason }) {
  return reason ? `: ${reason}` : '';
}

/** @param {Event} event */
function by({ exit }) {
  return exit ? `, by ${exit}` : '';
}

/** The first of its streams by name. @param {Event} event */
function ofStreams({ streams = [], count: all = 0 }) {
  const rest = all - streams.length;
  return streams.length ? `${streams.join(', ')}${rest > 0 ? ` and ${count(rest)} more` : ''}` : counted(all, 'stream');
}

/**
 * What is newest, newest first: bounded, nothing twice.
 * @param {Event[]} known @param {Event[]} news in any order @param {number} most
 */
export function joined(known, news, most) {
  const all = new Map([...known, ...news].map((each) => [each.id, each]));
  return [...all.values()].sort((one, other) => other.at - one.at).slice(0, most);
}
