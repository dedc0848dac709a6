// What the Market view decides without a page.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Candles, MOST, ofPayload, ofRow } from '../../../gateway/static/market/candles.js';
import { Freshness } from '../../../gateway/static/market/freshness.js';
import { lacks, matters, words } from '../../../gateway/static/market/gaps.js';
import { ladder } from '../../../gateway/static/market/ladder.js';
import { intervalsOf, moved, placeOf } from '../../../gateway/static/market/place.js';
import { read } from '../../../gateway/static/market/reading.js';
import { line } from '../../../gateway/static/market/sparkline.js';
import { Tape, tradeOf } from '../../../gateway/static/market/tape.js';
import { load, keep, toggled } from '../../../gateway/static/market/watched.js';
import { Catalogue } from '../../../gateway/static/shell/catalogue.js';
import { age, change, clock, percent, until } from '../../../gateway/static/words.js';

const listing = (market, ...symbols) => ({
  market, taken: 1, simulated: false, replayed: false,
  symbols: symbols.map((symbol) => ({ symbol, pair: symbol, contract: '', status: 'TRADING' })),
});
const catalogue = new Catalogue([listing('spot', 'ETHUSDT', 'BTCUSDT'), listing('coinm', 'BTCUSD_PERP')]);
const candle = (time, close = '1.0') => ({ time, open: '1.0', high: '1.0', low: '1.0', close, volume: '0' });
const times = (candles) => candles.all.map((each) => each.time);

test('the URL leads where it says, and what it leaves out is chosen', () => {
  assert.deepEqual(placeOf(['spot', 'ethusdt', '1s'], catalogue), { market: 'spot', symbol: 'ETHUSDT', interval: '1s' });
  assert.deepEqual(placeOf([], catalogue), { market: 'spot', symbol: 'BTCUSDT', interval: '1m' });
  assert.deepEqual(placeOf(['coinm'], catalogue), { market: 'coinm', symbol: 'BTCUSD_PERP', interval: '1m' });
  assert.deepEqual(placeOf(['nonsense', 'ETHUSDT', '7m'], catalogue), { market: 'spot', symbol: 'BTCUSDT', interval: '1m' });
});

test('a symbol that is not listed stays in the place, so that it can be said', () => {
  assert.equal(placeOf(['spot', 'NOPE'], catalogue).symbol, 'NOPE');
});

test('another market shows the same symbol if it has it, and an interval that it has', () => {
  assert.deepEqual(moved({ market: 'spot', symbol: 'ETHUSDT', interval: '1s' }, 'coinm', catalogue), ['coinm', 'BTCUSD_PERP', '1m']);
  assert.equal(intervalsOf('usdm').includes('1s'), false);
});

test('of a candle that changes the last state stays, and the end alone is drawn again', () => {
  const candles = new Candles();
  [60, 120].forEach((time) => candles.put(candle(time)));
  assert.deepEqual(candles.take(0), { all: true });
  candles.put(candle(120, '2.0'));
  candles.put(candle(180));
  const changed = candles.take(2);
  assert.deepEqual([changed.all, changed.from.map((each) => [each.time, each.close])], [false, [[120, '2.0'], [180, '1.0']]]);
  assert.deepEqual(candles.take(3), { all: false, from: [] });
});

test('candles that come late or twice stand where they belong, and are drawn anew', () => {
  const candles = new Candles();
  [60, 180, 240].forEach((time) => candles.put(candle(time)));
  candles.take(0);
  candles.put(candle(120));
  candles.put(candle(120, '3.0'));
  assert.deepEqual(times(candles), [60, 120, 180, 240]);
  assert.deepEqual(candles.take(3), { all: true });
  assert.equal(candles.at(120).close, '3.0');
  assert.equal(candles.at(121), undefined);
});

test('older candles come before those that are there, none twice', () => {
  const candles = new Candles();
  candles.put(candle(180));
  candles.take(0);
  assert.equal(candles.prepend([60, 120, 180].map((time) => candle(time))), true);
  assert.equal(candles.prepend([candle(60)]), false);
  assert.deepEqual(times(candles), [60, 120, 180]);
  assert.deepEqual(candles.take(1), { all: true });
});

test('after a loss the old candles stay until the first new one comes', () => {
  const candles = new Candles();
  candles.put(candle(60));
  candles.restart();
  assert.deepEqual(times(candles), [60]);
  candles.put(candle(600));
  assert.deepEqual(times(candles), [600]);
});

test('a page that is open for weeks holds no more candles than it may', () => {
  const candles = new Candles();
  for (let time = 0; time < MOST + 1500; time++) candles.put(candle(time));
  assert.ok(candles.all.length <= MOST + 1000);
  assert.equal(candles.last.time, MOST + 1499);
  assert.deepEqual(candles.take(MOST), { all: true });
  assert.equal(candles.prepend([candle(-1)]), false);
});

test('a candle is the same from a stream and from a row', () => {
  const payload = { k: { t: 60, o: '1', h: '4', l: '0.5', c: '2', v: '7', x: true } };
  assert.deepEqual(ofPayload(payload), ofRow([60, '1', '4', '0.5', '2', '7', 119, '0', 3, '0', '0', '0']));
});

test('a ladder has bars that add up, from spot and from futures', () => {
  const spot = ladder({ bids: [['9', '1'], ['8', '3']], asks: [['10', '2'], ['11', '0']] }, 2);
  assert.deepEqual(spot.bids, [{ price: '9', quantity: '1', part: 0.25 }, { price: '8', quantity: '3', part: 1 }]);
  assert.equal(spot.asks[1].part, 0.5);
  assert.deepEqual(ladder({ b: [['9', '1']], a: [] }, 5), { bids: [{ price: '9', quantity: '1', part: 1 }], asks: [] });
});

test('the tape holds the newest trades, once each, late ones in their place', () => {
  const tape = new Tape(3);
  for (const a of [1, 2, 4, 4, 3, 5]) tape.put(tradeOf({ a, T: a, p: '1', q: '1', m: a === 5 }));
  assert.deepEqual(tape.trades.map((trade) => trade.id), [5, 4, 3]);
  tape.put(tradeOf({ a: 1, T: 1, p: '1', q: '1', m: false }));
  assert.deepEqual(tape.trades.map((trade) => trade.bought), [false, true, true]);
});

test('what is shown says how fresh it is', () => {
  const fresh = new Freshness();
  assert.equal(fresh.shown(0).text, 'not connected');
  fresh.connected(true);
  assert.equal(fresh.shown(0).text, 'waiting for the first message');
  fresh.heard(10_000);
  fresh.heard(9000);
  assert.deepEqual(fresh.shown(11_000), { kind: 'good', text: 'live' });
  assert.deepEqual(fresh.shown(17_500), { kind: 'poor', text: 'quiet for 7 s' });
  assert.equal(fresh.stale, false);
  fresh.connected(false);
  assert.deepEqual([fresh.stale, fresh.shown(17_500)], [true, { kind: 'bad', text: 'stale since 00:00:10' }]);
  fresh.refuse('not with this token');
  assert.equal(fresh.shown(17_500).text, 'not with this token');
});

test("a clock that is ahead of the browser's makes nothing live for longer", () => {
  const fresh = new Freshness();
  fresh.connected(true);
  fresh.heard(10_000, 4000);
  assert.equal(fresh.shown(10_000).text, 'quiet for 6 s');
  fresh.heard(10_000, 3_600_000);
  assert.equal(fresh.shown(17_000).text, 'quiet for 7 s');
});

test('a gap says what is missing, in ids or in times', () => {
  assert.equal(words({ stream: 's', from: 6, to: 8, unit: 'a', reason: 'cannot be fetched' }), 's: aggregated trades 6 to 8 are missing, cannot be fetched');
  assert.equal(words({ stream: 's', from: 0, to: 2000, unit: 'ms', reason: 'slow consumer' }), 's: missing from 00:00:00 to 00:00:02 UTC, slow consumer');
  assert.equal(words({ stream: 's', reason: 'not certain that nothing is missing' }), 's: not certain that nothing is missing');
  assert.match(words({ stream: 's', from: 0, to: 1, unit: 'ms', reason: 'silent' }), /says nothing although it should/);
});

test('a chart is fetched anew for what its history has, and not for what is late or was never said', () => {
  assert.equal(lacks({ stream: 's', reason: 'cannot be fetched' }), true);
  assert.equal(lacks({ stream: 's', reason: 'not certain that nothing is missing' }), true);
  for (const reason of ['late', 'silent', 'delisted', 'halted']) assert.equal(lacks({ stream: 's', reason }), false);
});

test('what a newer state replaces is not told as missing, what lasts is', () => {
  assert.equal(matters({ stream: 'btcusdt@depth20@100ms', reason: 'not certain that nothing is missing' }), false);
  assert.equal(matters({ stream: 'btcusdt@aggTrade', reason: 'not certain that nothing is missing' }), true);
  assert.equal(matters({ stream: 'btcusdt@kline_1m', reason: 'late' }), true);
  assert.equal(matters({ stream: 'btcusdt@ticker', reason: 'delisted' }), true);
});

test('a fraction is a percentage by its digits alone', () => {
  assert.deepEqual(['0.00010000', '-0.00004250', '0.5', '1', '0.00000000', '12.345', ''].map(percent), ['0.01 %', '-0.00425 %', '50 %', '100 %', '0 %', '1234.5 %', '']);
});

test('changes, times and ages in words', () => {
  assert.deepEqual([change('100', '101.5'), change('100', '99'), change('0', '1')], ['+1.50 %', '-1.00 %', '']);
  assert.deepEqual([until(3_661_000), until(-5), clock(3_661_000)], ['01:01:01', '00:00:00', '01:01:01']);
  assert.deepEqual([age(5999), age(180_000), age(7_200_000)], ['5 s', '3 min', '2 h']);
});

test('a line goes from side to side and from top to bottom', () => {
  assert.deepEqual(line([1, 3, 2], 10, 12), [[0, 11], [5, 1], [10, 6]]);
  assert.deepEqual(line([5, 5], 10, 12), [[0, 11], [10, 11]]);
});

test('a watchlist is kept, begins with some symbols, and forgives what others wrote', () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  assert.deepEqual(load(catalogue, storage), [{ market: 'spot', symbol: 'ETHUSDT' }, { market: 'spot', symbol: 'BTCUSDT' }]);
  const list = toggled([], { market: 'spot', symbol: 'ETHUSDT', interval: '1m' });
  keep(list, storage);
  assert.deepEqual(load(catalogue, storage), [{ market: 'spot', symbol: 'ETHUSDT' }]);
  assert.deepEqual(toggled(list, { market: 'spot', symbol: 'ETHUSDT' }), []);
  for (const nonsense of ['{', 'null', '[1]']) {
    kept.set('fsnats.watchlist', nonsense);
    assert.ok(Array.isArray(load(catalogue, storage)));
  }
});

test('a stream that is refused takes no other with it', async () => {
  const asked = [];
  const refused = [];
  const gateway = { stream: (names, calls) => { asked.push([names, calls]); return () => {}; } };
  const end = read(gateway, ['a', 'b', 'c'], { market: 'spot' }, { message: () => {}, refused: (names, why) => refused.push([names, why]) });
  asked[0][1].error({ code: 'FORBIDDEN', message: 'not b', part: ['b'] });
  await Promise.resolve();
  assert.deepEqual(asked.map(([names]) => names), [['a', 'b', 'c'], ['a', 'c']]);
  assert.deepEqual(refused, [[['b'], 'not b']]);
  asked[1][1].error({ code: 'FORBIDDEN' });
  await Promise.resolve();
  assert.equal(asked.length, 2);
  assert.deepEqual(refused.slice(1), [[['a', 'c'], 'FORBIDDEN']]);
  end();
});
