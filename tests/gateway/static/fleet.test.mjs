// What the Fleet page makes of what /api/fleet tells.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined, sentence } from '../../../gateway/static/fleet/events.js';
import { hops, HOPS, Lags } from '../../../gateway/static/fleet/lag.js';
import { look, shortName } from '../../../gateway/static/fleet/look.js';
import { keepLooking } from '../../../gateway/static/fleet/looking.js';
import { ways, word, WORKERS_MOST } from '../../../gateway/static/fleet/map.js';
import { Rates } from '../../../gateway/static/fleet/rates.js';
import { standing } from '../../../gateway/static/fleet/standing.js';
import { rows } from '../../../gateway/static/fleet/streams.js';
import * as tables from '../../../gateway/static/fleet/tables.js';
import { count, counted, first, perSecond, size, span } from '../../../gateway/static/fleet/words.js';

const program = (name, more = {}) => ({ name, state: 'ready', pid: 1, restarts: 0, uptime: 100, rss: 2 ** 20, said: '', last_exit: null, ...more });
const supervisor = (programs, more = {}) => ({ program: 'supervisor', kind: 'supervisor', pid: 9, version: '1', programs, exits: [], markets: {}, ...more });
const connection = (id, more = {}) => ({ id, status: 'connected', exit: 'direct', streams: ['btcusdt@trade', 'ethusdt@trade'], live: 2, message_count: 10, dials: 1, ...more });
const worker = (name, more = {}) => ({ program: name, kind: 'ingest', pid: 1, market: 'spot', symbols: 2, messages: 10, silent: { count: 0 }, connections: [connection(`${name}-0`)], ...more });
const gateway = (name, more = {}) => ({ program: name, kind: 'gateway', pid: 5, ready: 'yes', clients: 3, counted: { delivered: 10, frames: 5 }, ...more });
const seen = (programs, more = {}) => look({ at: 1000, gateway: 'gateway-here-5', programs, troubles: [], ...more });
const error = (where) => ({ severity: 'error', what: 'it is wrong', do: 'mend it', where });

test('a worker that is down has no status, and is shown all the same', () => {
  const now = seen([supervisor([program('ingest-spot-0', { state: 'waiting', last_exit: -9 }), program('ingest-spot-1')]), worker('ingest-spot-1')]);
  assert.deepEqual(now.workers.map(({ name, answers, severity }) => [name, answers, severity]), [['ingest-spot-0', false, 'error'], ['ingest-spot-1', true, '']]);
  assert.deepEqual(word(now.workers[0]), { kind: 'bad', text: 'down: waiting' });
  assert.equal(now.workers[0].market, 'spot');
});

test('what is wrong with a connection is wrong with its worker, with its exit it is not', () => {
  const troubles = [error({ program: 'ingest-spot-0', connection: 'ingest-spot-0-0' }), { ...error({ exit: 'direct' }), severity: 'warning' }];
  const now = seen([supervisor([], { exits: [{ name: 'direct', dials_free: 1, weight: {} }] }), worker('ingest-spot-0'), worker('ingest-spot-1')], { troubles });
  assert.deepEqual(now.workers.map((each) => each.severity), ['error', '']);
  assert.equal(now.workers[0].connections[0].severity, 'error');
  assert.equal(now.exits[0].severity, 'warning');
});

test('a connection that is not open is no good, even before anybody calls it trouble', () => {
  const now = seen([worker('ingest-spot-0', { connections: [connection('ingest-spot-0-0', { status: 'reconnecting' })] })]);
  assert.equal(now.workers[0].severity, 'warning');
});

test('workers are in the order of their numbers', () => {
  const now = seen(['ingest-spot-10', 'ingest-spot-9', 'ingest-spot-1'].map((name) => worker(name)));
  assert.deepEqual(now.workers.map((each) => each.name), ['ingest-spot-1', 'ingest-spot-9', 'ingest-spot-10']);
});

test('answers of other versions, and none at all, are read', () => {
  assert.deepEqual(look({}).workers, []);
  const now = seen([{ program: 'ingest-spot-0', kind: 'ingest' }, { program: 'new', kind: 'new', what: 1 }]);
  assert.deepEqual([now.workers[0].symbols, now.workers[0].connections, now.supervised], [0, [], false]);
});

test('a gateway that the supervisor keeps and that does not answer is a row, too', () => {
  const now = seen([supervisor([program('gateway', { pid: 5 }), program('gateway-2', { pid: 6, state: 'starting' })]), gateway('gateway-here-5')]);
  assert.deepEqual(now.gateways.map(({ name, answers }) => [name, answers]), [['gateway-2', false], ['gateway-here-5', true]]);
  const [down, up] = tables.gateways(now, new Rates());
  assert.deepEqual(down.cells[1], { text: 'down: starting', kind: 'bad' });
  assert.equal(down.cells.length, up.cells.length);
  assert.equal(up.cells[0], 'gateway-here-5 (this one)');
});

test('gateways that are processes of one program are not missed under its name', () => {
  const programs = [supervisor([program('gateway', { pid: 4 })])];
  assert.deepEqual(seen([...programs, gateway('gateway-here-5'), gateway('gateway-here-6')]).gateways.map((each) => each.answers), [true, true]);
  assert.deepEqual(seen(programs).gateways.map((each) => each.answers), [false]);
});

test('rates are differences between two looks', () => {
  const rates = new Rates();
  rates.add(seen([worker('ingest-spot-0'), gateway('g')]));
  assert.equal(rates.of({ name: 'ingest-spot-0', pid: 1 }, 'messages'), null);
  const later = seen([worker('ingest-spot-0', { messages: 110, connections: [connection('ingest-spot-0-0', { message_count: 60 })] }), gateway('g', { counted: { delivered: 30 } })], { at: 3000 });
  rates.add(later);
  assert.equal(rates.of(later.workers[0], 'messages'), 50);
  assert.equal(rates.of(later.workers[0], 'ingest-spot-0-0'), 25);
  assert.equal(rates.of(later.gateways[0], 'delivered'), 10);
  rates.add(later); // the same answer once more
  assert.equal(rates.of(later.workers[0], 'messages'), 50);
});

test('a program that was started again has no rate, until two looks have seen it', () => {
  const rates = new Rates();
  rates.add(seen([worker('ingest-spot-0', { messages: 1000 })]));
  const other = seen([worker('ingest-spot-0', { pid: 2, messages: 5000 })], { at: 2000 }); // its counters may well be ahead
  rates.add(other);
  assert.equal(rates.of(other.workers[0], 'messages'), null);
  const next = seen([worker('ingest-spot-0', { pid: 2, messages: 5007 })], { at: 3000 });
  rates.add(next);
  assert.equal(rates.of(next.workers[0], 'messages'), 7);
});

test('a counter that goes back, and a clock that does, tell no rate', () => {
  const rates = new Rates();
  rates.add(seen([worker('ingest-spot-0', { messages: 1000 })]));
  rates.add(seen([worker('ingest-spot-0', { messages: 10 })], { at: 2000 }));
  assert.equal(rates.of({ name: 'ingest-spot-0', pid: 1 }, 'messages'), null);
  rates.add(seen([worker('ingest-spot-0', { messages: 20 })], { at: 1500 }));
  assert.equal(rates.of({ name: 'ingest-spot-0', pid: 1 }, 'messages'), null);
});

test('a sum leaves out what is not known, and is not known where nothing is', () => {
  const rates = new Rates();
  const [one, two] = [worker('ingest-spot-0'), worker('ingest-spot-1', { pid: 2 })];
  rates.add(seen([one]));
  const now = seen([{ ...one, messages: 40 }, two], { at: 2000 });
  assert.equal(rates.sum(now.workers, 'messages'), null);
  rates.add(now);
  assert.equal(rates.sum(now.workers, 'messages'), 30);
});

test('the map has workers below the exits by which they go', () => {
  const exits = [{ name: 'direct' }, { name: 'socks5h://a:1' }];
  const both = worker('ingest-spot-0', { connections: [connection('ingest-spot-0-0a'), connection('ingest-spot-0-0b', { exit: 'socks5h://a:1' })] });
  const now = seen([supervisor([], { exits }), both, worker('ingest-spot-1', { connections: [] })]);
  const told = ways(now, new Map()).map(({ name, stops }) => [name, stops.map((each) => [each.worker.name, each.connections.length])]);
  assert.deepEqual(told, [['direct', [['ingest-spot-0', 1]]], ['socks5h://a:1', [['ingest-spot-0', 1]]], ['', [['ingest-spot-1', 0]]]]);
});

test('a worker that is down stays where it was', () => {
  const homes = new Map();
  const programs = [program('ingest-spot-0')];
  ways(seen([supervisor(programs, { exits: [{ name: 'direct' }] }), worker('ingest-spot-0')]), homes);
  const down = seen([supervisor([program('ingest-spot-0', { state: 'waiting' })], { exits: [{ name: 'direct' }] })]);
  assert.deepEqual(ways(down, homes).map(({ name, stops }) => [name, stops.length]), [['direct', 1]]);
});

test('where not all fit, those in trouble are shown, and the rest is counted', () => {
  const many = Array.from({ length: WORKERS_MOST + 5 }, (_, index) => worker(`ingest-spot-${index}`));
  const [way] = ways(seen(many, { troubles: [error({ program: `ingest-spot-${WORKERS_MOST + 4}` })] }), new Map());
  assert.deepEqual([way.stops.length, way.rest, way.stops[0].worker.name], [WORKERS_MOST, 5, `ingest-spot-${WORKERS_MOST + 4}`]);
});

test('how old what is shown is, and why, is unmistakable', () => {
  assert.deepEqual(standing(null, null), { kind: 'good', text: 'Asking everybody …', isStale: false });
  assert.equal(standing(1.2, null).text, 'Seen 1.2s ago');
  assert.deepEqual(standing(6, null), { kind: 'bad', text: 'OLD: what is shown is 6.0s old', isStale: true });
  const cases = [[0, 'the gateway cannot be reached', /^THE GATEWAY IS GONE: the gateway cannot/], [503, 'NATS is not connected', /^NATS IS GONE/], [429, 'too many', /^NOT KNOWN NOW: too many/]];
  for (const [status, message, told] of cases) {
    const { kind, text, isStale } = standing(75, { status, message });
    assert.deepEqual([kind, isStale], ['bad', true]);
    assert.match(text, told);
    assert.match(text, /1m15s old$/);
  }
  assert.match(standing(null, { status: 503, message: 'NATS is not connected' }).text, /nothing is known yet/);
});

test('NATS comes first of the programs, and workers are on the map', () => {
  const now = seen([supervisor([program('history'), program('ingest-spot-0'), program('nats', { state: 'waiting' })])]);
  const [nats, history, ...rest] = tables.programs(now);
  assert.deepEqual([nats.cells[0], nats.cells[1], history.cells[0], rest], ['NATS', { text: 'waiting', kind: 'bad' }, 'history', []]);
  const ready = seen([supervisor([program('nats')])]);
  assert.equal(tables.programs(ready, new Rates(), false)[0].cells[1].kind, 'good');
  assert.deepEqual(tables.programs(ready, new Rates(), true)[0].cells[1], { text: 'gone', kind: 'bad' }); // what was seen last does not count
});

test('a recorder says what waits for its store', () => {
  const recorder = { program: 'recorder', kind: 'recorder', pid: 3, streams: { spot: 2, usdm: 3 }, klines: 5, backlog: 1234, backlog_seconds: 65, store_trouble: 'disk full', last_commit_age: null };
  const [row] = tables.recorders(seen([recorder]), new Rates());
  assert.deepEqual(row.cells.slice(1, 6), [{ text: 'waited for: disk full', kind: 'bad' }, '5', '0/s', '1,234', '1m05s']);
  assert.equal(row.cells.length, tables.RECORDERS.length);
});

test('each table has a cell for each of its columns', () => {
  const capture = { program: 'capture', kind: 'capture', pid: 4, streams: 1 };
  const markets = { spot: { symbols: 3, groups: 1, simulated: true } };
  const history = { program: 'history', kind: 'history', pid: 2, clocks: { spot: { offset_ms: -12.4 } } };
  const now = seen([supervisor([program('nats')], { markets }), capture, gateway('g'), history]);
  assert.equal(tables.captures(now)[0].cells.length, tables.CAPTURES.length);
  assert.equal(tables.programs(now)[0].cells.length, tables.PROGRAMS.length);
  assert.equal(tables.gateways(now, new Rates())[0].cells.length, tables.GATEWAYS.length);
  assert.deepEqual(tables.markets(now)[0].cells, ['spot', { text: 'SIMULATED', kind: 'poor' }, '3', '1', '12 ms behind']);
});

test('of each hop the slowest program is shown', () => {
  const hop = (p50, p99, count) => ({ p50, p99, count });
  const now = seen([
    supervisor([], { markets: { spot: {}, usdm: {} } }),
    worker('ingest-spot-0', { lag: { spot: { exchange: hop(1, 2, 10), worker: hop(0.1, 0.2, 10) } } }),
    worker('ingest-spot-1', { lag: { spot: { exchange: hop(0.5, 9, 5), worker: hop(null, null, 0) } } }),
    gateway('g', { lag: { spot: { bus: hop(0.3, 0.4, 7) } } }),
  ]);
  assert.deepEqual(tables.lag(now).map((each) => each.cells), [
    ['spot', 'exchange to worker', '0.5 ms', '9.0 ms', 'ingest-spot-1', '15'],
    ['spot', 'in the worker', '0.1 ms', '0.2 ms', 'ingest-spot-0', '10'],
    ['spot', 'by NATS to the gateway', '0.3 ms', '0.4 ms', 'g', '7'],
  ]);
});

test('a stream says what was expected of it and what is done about it', () => {
  const stream = { stream: 'btcusdt@trade', market: 'spot', worker: 'ingest-spot-0', connections: ['ingest-spot-0-0'], state: 'silent', rate: null, age: 75, lag_ms: 1.25, expected: 2, expected_by: 'past', actual: 0.5, gaps: 1, recovered: 1200, reason: 'it moves', trying: 'subscribed again' };
  let chosen;
  const [row] = rows([stream], (each) => (chosen = each));
  row.cells[0].act();
  assert.equal(chosen, stream);
  assert.deepEqual(row.cells.slice(1), [{ text: 'silent', kind: 'bad' }, '–', '1m15s ago', '2.0s, as it did', '0.5s', '1.3 ms', { text: '1', kind: 'bad' }, '1,200', 'ingest-spot-0-0', 'it moves; subscribed again']);
  const [quiet] = rows([{ ...stream, state: 'quiet', age: null, lag_ms: null, expected: null, expected_by: 'at will', actual: null, gaps: 0, recovered: 0, reason: '', trying: '' }], () => {});
  assert.deepEqual(quiet.cells.slice(1, 7), [{ text: 'quiet', kind: '' }, '–', 'none yet', 'any time', '', '']);
});

test('each kind of event is a sentence', () => {
  const event = { id: 'a', at: 1, program: 'ingest-spot-0', streams: ['btcusdt@trade'], count: 12, messages: 1500, connection: 'ingest-spot-0-0', exit: 'direct', child: 'history', reason: 'signal 9' };
  const told = (kind, more) => sentence({ ...event, ...more, kind }).text;
  assert.equal(told('gap'), 'ingest-spot-0: btcusdt@trade and 11 more lost messages that cannot be had: signal 9');
  assert.equal(told('recovered'), 'ingest-spot-0: 1,500 missing messages of btcusdt@trade and 11 more fetched and sent');
  assert.equal(told('lost'), 'ingest-spot-0-0 is not connected: signal 9');
  assert.equal(told('connected'), 'ingest-spot-0-0 is connected, by direct');
  assert.equal(told('ended'), 'history ended: signal 9');
  assert.equal(told('ready', { child: '' }), 'ingest-spot-0 is ready');
  assert.equal(told('what nobody knows'), 'ingest-spot-0: signal 9');
  for (const kind of ['rotated', 'exit', 'silent', 'flows']) assert.ok(told(kind).length > 20);
});

test('events are kept newest first, once, and not for ever', () => {
  const at = (number) => ({ id: `e${number}`, at: number, kind: 'ready', program: 'p' });
  const kept = joined([at(2), at(1)], [at(3), at(2), at(4)], 3);
  assert.deepEqual(kept.map((each) => each.at), [4, 3, 2]);
});

test('lag is known hop by hop, the first one only by the exchange’s own clock', () => {
  const stamps = { event: 1000, received: 1_004_000_000, published: 1_005_000_000, gateway: 1_007_500_000, sent: 1_008_000_000, offset: -2 };
  assert.deepEqual(hops(stamps), [2, 1, 2.5, 0.5]);
  assert.deepEqual(hops({ ...stamps, offset: null })[0], null);
  assert.deepEqual(hops({ ...stamps, event: null })[0], null);
  const lags = new Lags(3);
  for (const more of [100, 0, 1, 2]) lags.add({ ...stamps, sent: stamps.gateway + more * 1e6, event: null });
  const [first_, , , last] = lags.summary;
  assert.deepEqual(first_, { name: HOPS[0], p50: null, p99: null, most: null });
  assert.deepEqual([lags.length, last], [3, { name: 'in the gateway', p50: 1, p99: 2, most: 2 }]);
});

test('numbers are written for people', () => {
  assert.deepEqual([null, 0, 9.96, 59.9, 125, 7500, 90000].map(span), ['', '0.0s', '10.0s', '59s', '2m05s', '2h05m', '1d01h']);
  assert.deepEqual([null, 1023, 2048, 5 * 2 ** 20, 2 ** 31].map(size), ['', '1023B', '2K', '5M', '2G']);
  assert.deepEqual([null, 0, 0.25, 12.4, 12345].map(perSecond), ['–', '0/s', '0.3/s', '12/s', '12,345/s']);
  assert.deepEqual([counted(1, 'worker'), counted(1200, 'worker'), count(undefined)], ['1 worker', '1,200 workers', '']);
  assert.deepEqual(first([1, 2, 3], 2), [[1, 2], 1]);
  assert.equal(shortName('ingest-usdm-3-market-0', 'ingest-usdm-3'), 'market-0');
});

test('nobody looks while the page is hidden, and nobody twice at once', async () => {
  const page = new EventTarget();
  page.hidden = true;
  let looks = 0;
  let finish = () => {};
  const end = keepLooking(() => new Promise((resolve) => ((looks += 1), (finish = resolve))), page);
  assert.equal(looks, 0);
  page.hidden = false;
  page.dispatchEvent(new Event('visibilitychange'));
  page.dispatchEvent(new Event('visibilitychange'));
  assert.equal(looks, 1);
  page.hidden = true;
  finish();
  await new Promise((resolve) => setImmediate(resolve));
  page.hidden = false;
  page.dispatchEvent(new Event('visibilitychange'));
  assert.equal(looks, 2);
  end();
  finish();
  await new Promise((resolve) => setImmediate(resolve));
  page.dispatchEvent(new Event('visibilitychange'));
  assert.equal(looks, 2);
});

test('a look that fails by a mistake is not the last one', async (context) => {
  const page = new EventTarget();
  page.hidden = false;
  const complained = context.mock.method(console, 'error', () => {});
  const end = keepLooking(() => Promise.reject(new Error('a mistake')), page);
  await new Promise((resolve) => setImmediate(resolve));
  page.dispatchEvent(new Event('visibilitychange'));
  await new Promise((resolve) => setImmediate(resolve));
  end();
  assert.equal(complained.mock.callCount(), 2);
});
