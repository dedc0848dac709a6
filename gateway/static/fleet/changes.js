// What has happened between two looks, a sentence each.  Pure.

import { worse } from './look.js';

/** @typedef {import('./look.js').Look} Look */
/** @typedef {{ severity: import('./look.js').Severity | 'good', text: string }} Change */

// Counters of a worker that tell of messages missing, or brought back.
const COUNTED = {
  holes: ['warning', (/** @type {string} */ n) => `found messages missing in ${n} places`],
  recovered: ['good', (/** @type {string} */ n) => `fetched ${n} missing messages`],
  gaps: ['error', (/** @type {string} */ n) => `told clients of ${n} gaps: what is missing there cannot be had`],
  dropped_for_nats: ['error', (/** @type {string} */ n) => `dropped ${n} frames that waited too long for NATS`],
};
const OF_GATEWAYS = {
  gaps: ['warning', (/** @type {string} */ n) => `told its clients of ${n} gaps`],
  refilled: ['good', (/** @type {string} */ n) => `read ${n} frames again that were lost on the way from NATS`],
  dropped: ['warning', (/** @type {string} */ n) => `dropped ${n} messages for slow clients`],
};

/** @param {Look} before @param {Look} after @returns {Change[]} */
export function changes(before, after) {
  return [
    ...ofTroubles(before, after),
    ...ofPrograms(before, after),
    ...before.workers.flatMap((old) => ofConnections(old, after)),
    ...ofCounters(before.workers, after.workers, COUNTED),
    ...ofCounters(before.gateways, after.gateways, OF_GATEWAYS),
  ];
}

/** @param {Look} before @param {Look} after @returns {Change[]} */
function ofTroubles(before, after) {
  const place = (/** @type {import('./look.js').Trouble} */ each) => JSON.stringify(each.where ?? {});
  const old = new Set(before.troubles.map(place));
  const now = new Set(after.troubles.map(place));
  const begun = after.troubles.filter((each) => !old.has(place(each))).map((each) => ({ severity: each.severity, text: each.what }));
  const over = before.troubles.filter((each) => !now.has(place(each)));
  return [...begun, .../** @type {Change[]} */ (over.map((each) => ({ severity: 'good', text: `Over: ${each.what}` })))];
}

/** @param {Look} before @param {Look} after @returns {Change[]} */
function ofPrograms(before, after) {
  const known = new Map(before.programs.map((each) => [each.name, each]));
  /** @type {Change[]} */
  const found = [];
  for (const each of after.programs) {
    const old = known.get(each.name);
    if (old && each.restarts > old.restarts) {
      found.push({ severity: 'error', text: `${each.name} ended and is started again, for the ${ordinal(each.restarts)} time` });
    }
    if (old && old.state !== 'ready' && each.state === 'ready') found.push({ severity: 'good', text: `${each.name} is ready` });
  }
  const were = new Map(before.gateways.map((each) => [each.name, each]));
  for (const each of after.gateways) {
    if (!were.delete(each.name)) found.push({ severity: 'good', text: `${each.name} is there` });
  }
  for (const name of were.keys()) found.push({ severity: 'warning', text: `${name} does not answer any more` });
  return found;
}

/** @param {import('./look.js').Worker} old @param {Look} after @returns {Change[]} */
function ofConnections(old, after) {
  const now = new Map(after.workers.find((each) => each.name === old.name)?.connections.map((each) => [each.id, each]) ?? []);
  /** @type {Change[]} */
  const found = [];
  for (const each of old.connections) {
    const then = now.get(each.id);
    if (!then) continue;
    if (each.status === 'connected' && then.status === 'connected' && then.rotations > each.rotations) {
      found.push({ severity: '', text: `${each.id} was replaced while it still carried` });
    } else if (each.status !== 'connected' && then.status === 'connected') {
      found.push({ severity: 'good', text: `${each.id} is connected` });
    } else if (each.status === 'connected' && (then.status !== 'connected' || then.dials > each.dials)) {
      found.push({ severity: 'warning', text: `${each.id} was lost${then.last_error ? `: ${then.last_error}` : ''}` });
    }
  }
  return found;
}

/**
 * @param {{ name: string, pid?: number | null, counts: Record<string, any> }[]} before
 * @param {{ name: string, pid?: number | null, counts: Record<string, any> }[]} after
 * @param {Record<string, any>} words
 * @returns {Change[]}
 */
function ofCounters(before, after, words) {
  const known = new Map(before.map((each) => [each.name, each]));
  /** @type {Change[]} */
  const found = [];
  for (const each of after) {
    const old = known.get(each.name);
    if (!old || old.pid !== each.pid) continue; // its counters began anew
    for (const [name, [severity, say]] of Object.entries(words)) {
      const more = (each.counts[name] ?? 0) - (old.counts[name] ?? 0);
      if (more > 0) found.push({ severity, text: `${each.name} ${say(more.toLocaleString('en'))}` });
    }
  }
  return found;
}

/** @param {number} count */
function ordinal(count) {
  const [tens, ones] = [Math.floor(count / 10) % 10, count % 10];
  return `${count}${(tens !== 1 && ['th', 'st', 'nd', 'rd'][ones]) || 'th'}`;
}

/** The worst of them. @param {Change[]} changes @returns {import('./look.js').Severity} */
export function worst(changes) {
  return changes.reduce((found, { severity }) => (severity === 'good' ? found : worse(found, severity)), /** @type {import('./look.js').Severity} */ (''));
}
