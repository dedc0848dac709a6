// Gateways, programs, recorders and whatever else a fleet has, as rows.  Pure.

import { KINDS } from './map.js';
import { count, perSecond, size, span } from './words.js';

/** @typedef {import('./look.js').Look} Look @typedef {import('./rates.js').Rates} Rates @typedef {import('./keyed.js').Row} Row */

export const GATEWAYS = ['gateway', 'ready', '>clients', '>streams', '>delivered', '>in', '>slow clients', '>waiting', '>thinned', '>dropped', '>up'];
export const PROGRAMS = ['program', 'state', '>up', '>memory', '>started again', 'says'];
export const RECORDERS = ['recorder', 'store', '>streams', '>rows', '>waiting', '>for', '>in the window', '>holes', '>fetched', 'last commit'];
export const CAPTURES = ['capture', 'disk', '>streams', '>lines', '>waiting', '>files', '>gaps'];
export const LAG = ['market', 'hop', '>middle', '>99 of 100', 'of', '>messages looked at'];
export const MARKETS = ['market', 'data', '>symbols', '>groups', 'clock'];

/** @param {Look} look @param {Rates} rates @returns {Row[]} */
export function gateways(look, rates) {
  return look.gateways.map((each) => {
    if (!each.answers) return missing(each, GATEWAYS.length);
    const counts = each.counts;
    const here = each.name === look.gateway ? ' (this one)' : '';
    return row(each.name, [
      `${each.name}${here}`,
      { text: each.ready === 'yes' ? 'yes' : String(each.ready), kind: each.ready === 'yes' ? 'good' : 'bad' },
      count(each.clients),
      count(each.channels),
      perSecond(rates.of(each, 'delivered')),
      perSecond(rates.of(each, 'frames')),
      each.slow_clients ? { text: count(each.slow_clients), kind: 'poor' } : '0',
      size(each.outbox_bytes),
      perSecond(rates.of(each, 'conflated')),
      counts.dropped ? { text: `${count(counts.dropped)} (${perSecond(rates.of(each, 'dropped'))})`, kind: 'poor' } : '0',
      span(each.uptime),
    ]);
  });
}

const STATES = /** @type {Record<string, 'good' | 'poor' | 'bad'>} */ ({ ready: 'good', starting: 'poor', stopping: 'poor' });

/** The supervisor's programs, NATS first: without it nothing flows. @param {Look} look @param {Rates} _rates @param {boolean} isNatsGone @returns {Row[]} */
export function programs(look, _rates, isNatsGone) {
  const all = [...look.programs].sort((one, other) => Number(other.name === 'nats') - Number(one.name === 'nats'));
  const left = all.filter((each) => !each.name.startsWith('ingest-')); // those are on the map
  return left.map((each) => {
    const last = each.last_exit === null || each.last_exit === undefined ? '' : `ended with ${each.last_exit} before`;
    const { name, state, uptime, rss, restarts, said } = each;
    const isGone = name === 'nats' && isNatsGone;
    const mark = isGone ? { text: 'gone', kind: /** @type {const} */ ('bad') } : { text: state, kind: STATES[state] ?? 'bad' };
    return row(name, [name === 'nats' ? 'NATS' : name, mark, span(uptime), size(rss), count(restarts), said || last]);
  });
}

/** @param {Look} look @param {Rates} rates @returns {Row[]} */
export function recorders(look, rates) {
  return look.recorders.map((each) => {
    if (!each.answers) return missing(each, RECORDERS.length);
    const streams = Object.values(each.streams ?? {}).reduce((sum, number) => sum + Number(number), 0);
    const rows = ['klines', 'trades', 'frames'].map((name) => rates.of(each, name) ?? 0).reduce((sum, number) => sum + number, 0);
    return row(each.name, [
      each.name,
      each.store_trouble ? { text: `waited for: ${each.store_trouble}`, kind: 'bad' } : { text: 'ready', kind: 'good' },
      count(streams),
      perSecond(rows),
      count(each.backlog),
      each.backlog ? span(each.backlog_seconds) : '',
      count(each.in_window),
      each.holes_left ? { text: `${count(each.holes)}, ${count(each.holes_left)} left`, kind: 'poor' } : count(each.holes),
      count(each.fetched),
      each.last_commit_age === null || each.last_commit_age === undefined ? 'none yet' : `${span(each.last_commit_age)} ago`,
    ]);
  });
}

/** @param {Look} look @returns {Row[]} */
export function captures(look) {
  return look.captures.map((each) => {
    const disk = each.trouble ? { text: String(each.trouble), kind: /** @type {const} */ ('bad') } : { text: 'ready', kind: /** @type {const} */ ('good') };
    return row(each.name, [each.name, disk, count(each.streams), count(each.written), count(each.waiting), count(each.files), count(each.gaps)]);
  });
}

const HOPS = /** @type {Record<string, string>} */ ({
  exchange: 'exchange to worker',
  worker: 'in the worker',
  bus: 'by NATS to the gateway',
  gateway: 'in the gateway',
});

/** Of each hop in each market the program where it takes longest, by the statuses' own numbers. @param {Look} look @returns {Row[]} */
export function lag(look) {
  const told = [...look.workers, ...look.gateways].flatMap(({ name, lag: markets = {} }) =>
    Object.entries(markets).flatMap(([market, hops]) => Object.entries(hops).map(([hop, each]) => ({ name, market, hop, ...each }))));
  const ms = (/** @type {number | null} */ value) => (value === null ? '' : `${value.toFixed(1)} ms`);
  return look.markets.flatMap(([market]) => Object.keys(HOPS).flatMap((hop) => {
    const all = told.filter((each) => each.market === market && each.hop === hop && each.count);
    if (!all.length) return [];
    const slowest = all.reduce((worst, each) => (each.p99 > worst.p99 ? each : worst));
    const looked = all.reduce((sum, each) => sum + each.count, 0);
    return [row(`${market} ${hop}`, [market, HOPS[hop], ms(slowest.p50), ms(slowest.p99), slowest.name, count(looked)])];
  }));
}

/** @param {Look} look @returns {Row[]} */
export function markets(look) {
  const clocks = Object.assign({}, ...look.histories.map((each) => each.clocks ?? {}));
  return look.markets.map(([name, told]) => {
    const data = told.simulated === true ? { text: 'SIMULATED', kind: /** @type {const} */ ('poor') } : told.simulated === false ? 'Binance' : 'not known yet';
    const ahead = Math.round(clocks[name]?.offset_ms ?? 0);
    const clock = clocks[name] ? `${ahead > 0 ? `${ahead} ms ahead` : ahead < 0 ? `${-ahead} ms behind` : 'as ours'}` : '';
    return row(name, [name, data, count(told.symbols), count(told.groups), clock]);
  });
}

/** @param {import('./look.js').Other} each @param {number} columns @returns {Row} */
function missing(each, columns) {
  const said = { text: each.state === 'ready' ? 'does not answer' : `down: ${each.state}`, kind: KINDS[each.severity] };
  return row(each.name, [each.name, said, ...Array(columns - 2).fill('')]);
}

/** @param {string} key @param {import('./keyed.js').Cell[]} cells @returns {Row} */
function row(key, cells) {
  return { key, cells };
}
