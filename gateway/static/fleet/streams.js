// The streams that workers carry (`/api/fleet/streams`), as rows.  Pure.

import { count, perSecond, span } from './words.js';

/** @typedef {{ stream: string, market: string, worker: string, connections: string[], state: string, rate: number | null, byte_rate: number | null, age: number | null, lag_ms: number | null, expected: number | null, expected_by: string, actual: number | null, gaps: number, recovered: number, reason?: string, trying?: string }} Told */

export const COLUMNS = ['stream', 'state', '>rate', '>last message', '>pauses at most', '>pauses now', '>lag', '>gaps', '>fetched', 'by', 'what is done'];
export const ROWS_MOST = 100;
export const SORTS = { rate: 'the busiest', age: 'the quietest', lag: 'the latest', bytes: 'the largest', name: 'by name' };

const STATES = /** @type {Record<string, [string, 'good' | 'poor' | 'bad' | '']>} */ ({
  flows: ['flows', 'good'],
  late: ['late', 'poor'],
  quiet: ['quiet', ''],
  waiting: ['nothing yet', 'poor'],
  silent: ['silent', 'bad'],
});

/** @param {Told[]} streams @param {(stream: Told) => void} choose @returns {import('./keyed.js').Row[]} */
export function rows(streams, choose) {
  return streams.map((each) => {
    const [text, kind] = STATES[each.state] ?? [each.state, ''];
    return {
      key: `${each.market} ${each.stream} ${each.worker}`,
      cells: [
        { text: each.stream, act: () => choose(each) },
        { text, kind },
        perSecond(each.rate),
        each.age === null ? 'none yet' : `${span(each.age)} ago`,
        expected(each),
        span(each.actual),
        each.lag_ms === null ? '' : `${each.lag_ms.toFixed(1)} ms`,
        each.gaps ? { text: count(each.gaps), kind: 'bad' } : '0',
        count(each.recovered),
        each.connections.join(', ') || each.worker,
        [each.reason, each.trying].filter(Boolean).join('; '),
      ],
    };
  });
}

/** How long it pauses at most, and who says so. @param {Told} each */
function expected({ expected: seconds, expected_by: by }) {
  if (seconds === null) return by === 'at will' ? 'any time' : 'not known yet';
  return `${span(seconds)}${by === 'past' ? ', as it did' : ''}`;
}
