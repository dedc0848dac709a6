// How old what is shown is, and why.  Pure.

import { span } from './words.js';

export const STALE = 5; // seconds from which on it is called old

/** Whether NATS is what is missing. @param {{ status: number, message: string } | null} failure */
export function isNatsGone(failure) {
  return failure !== null && failure.status !== 0 && failure.message.includes('NATS');
}

/**
 * @param {number | null} age seconds since the last look that brought something; null before the first
 * @param {{ status: number, message: string } | null} failure of the newest look
 * @returns {{ kind: 'good' | 'bad', text: string, isStale: boolean }}
 */
export function standing(age, failure) {
  if (failure) {
    const why = failure.status === 0 ? 'THE GATEWAY IS GONE' : isNatsGone(failure) ? 'NATS IS GONE' : 'NOT KNOWN NOW';
    const rest = age === null ? 'nothing is known yet' : `what is shown is ${span(age)} old`;
    return { kind: 'bad', text: `${why}: ${failure.message}; ${rest}`, isStale: true };
  }
  if (age === null) return { kind: 'good', text: 'Asking everybody …', isStale: false };
  if (age > STALE) return { kind: 'bad', text: `OLD: what is shown is ${span(age)} old`, isStale: true };
  return { kind: 'good', text: `Seen ${span(age)} ago`, isStale: false };
}
