// What is common to all views of the dashboard.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { Catalogue } from '../../../gateway/static/shell/catalogue.js';
import { Gateway, Refused } from '../../../gateway/static/shell/gateway.js';
import { health } from '../../../gateway/static/shell/health.js';
import { Kept } from '../../../gateway/static/shell/kept.js';
import { read, write } from '../../../gateway/static/shell/route.js';
import { Store } from '../../../gateway/static/shell/store.js';

const listed = (symbol, status = 'TRADING') => ({ symbol, pair: symbol, contract: '', status });
const spot = (...symbols) => ({ market: 'spot', taken: 1, simulated: false, replayed: false, symbols });
const names = (found) => found.map((each) => each.symbol);

test('a place survives the way through the URL, whatever its letters', () => {
  const hash = write('market', ['spot', '币安人生USDT', '1m']);
  assert.match(hash, /^#\/market\/spot\/%E5/);
  assert.deepEqual(read(hash, ['market']), { view: 'market', parts: ['spot', '币安人生USDT', '1m'] });
});

test('nonsense in the URL is the first view', () => {
  assert.deepEqual(read('#/nonsense/x', ['market', 'fleet']), { view: 'market', parts: [] });
  assert.deepEqual(read('', ['market']), { view: 'market', parts: [] });
  assert.deepEqual(read('#/market/%E0%A4%A', ['market']).parts, ['%E0%A4%A']);
});

test('readers of a value hear of changes alone, until they leave', () => {
  const heard = [];
  const store = new Store(1);
  const leave = store.subscribe((value) => heard.push(value));
  store.set(1);
  store.set(2);
  leave();
  store.set(3);
  assert.deepEqual(heard, [1, 2]);
});

test('a symbol is found by its beginning before its middle, the shorter one first, those that trade before all others', () => {
  const catalogue = new Catalogue([spot(listed('BTCUSDTX', 'BREAK'), listed('WBTCUSDT'), listed('BTCUSDTUSDT'), listed('BTCUSDT'), listed('ETHUSDT'))]);
  assert.deepEqual(names(catalogue.search('spot', 'btc/usdt')), ['BTCUSDT', 'BTCUSDTUSDT', 'WBTCUSDT', 'BTCUSDTX']);
  assert.deepEqual(names(catalogue.search('spot', 'nothing')), []);
});

test('a symbol in other letters is found by them', () => {
  const catalogue = new Catalogue([spot(listed('BTCUSDT'), listed('币安人生USDT'))]);
  assert.deepEqual(names(catalogue.search('spot', '币安')), ['币安人生USDT']);
  assert.equal(catalogue.find('spot', '币安人生usdt')?.status, 'TRADING');
});

test('of nothing typed all are found, in the order of the exchange, and no more than asked for', () => {
  const catalogue = new Catalogue([spot(listed('ZZZ'), listed('A'), listed('BB'))]);
  assert.deepEqual(names(catalogue.search('spot', '', 2)), ['ZZZ', 'A']);
});

test('for a symbol that is not there those are named that begin as it does', () => {
  const catalogue = new Catalogue([spot(listed('BTCEUR'), listed('BTCUSDT'), listed('ETHUSDT'))]);
  assert.deepEqual(catalogue.like('spot', 'BTCUSDTX'), ['BTCUSDT']);
  assert.deepEqual(catalogue.like('spot', 'BTCX'), ['BTCEUR', 'BTCUSDT']);
  assert.deepEqual(catalogue.like('spot', 'QQQ'), []);
});

test('one market that is made up makes all of it suspect', () => {
  assert.equal(new Catalogue([spot(), { ...spot(), market: 'usdm', simulated: true }]).nature, 'simulated');
  assert.equal(new Catalogue([{ ...spot(), simulated: true, replayed: true }]).nature, 'replayed');
  assert.equal(new Catalogue([spot()]).nature, '');
});

test('one stream that is lost shows, and so does a gateway that does not answer', () => {
  assert.equal(health(['open', 'open'], '').kind, 'good');
  assert.equal(health(['open', 'connecting'], '').kind, 'poor');
  assert.deepEqual(health(['open', 'waiting'], ''), { kind: 'bad', text: 'Connection lost, trying again' });
  assert.deepEqual(health(['open'], 'Access token needed'), { kind: 'bad', text: 'Access token needed' });
});

test('an answer that is cut off, or no JSON, is a refusal like any other: whoever asks asks again', async () => {
  const cut = () => new Response(new ReadableStream({ pull: (stream) => stream.error(new TypeError('network error')) }));
  const answers = [
    [cut, 0, 'its answer was cut off', 'bad'],
    [() => new Response('<html>'), 0, 'what answers is no gateway', 'good'],
    [() => new Response(cut().body, { status: 503, statusText: 'Service Unavailable' }), 503, '503 Service Unavailable', 'bad'],
  ];
  for (const [answer, status, message, kind] of answers) {
    const gateway = new Gateway(new URL('http://gateway:1/'), () => '', () => {});
    mock.method(globalThis, 'fetch', async () => answer());
    await assert.rejects(gateway.json('api/v1/symbols'), (failure) => failure instanceof Refused && failure.status === status && failure.message === message);
    assert.equal(gateway.health.value.kind, kind);
  }
  mock.restoreAll();
});

test('where nothing may be kept the page keeps it', () => {
  const refused = () => { throw new Error('SecurityError'); };
  const full = { getItem: () => null, setItem: refused, removeItem: () => {} };
  for (const kept of [new Kept(refused), new Kept(() => full)]) {
    assert.equal(kept.getItem('theme'), null);
    kept.setItem('theme', 'dark');
    assert.equal(kept.getItem('theme'), 'dark');
    kept.removeItem('theme');
    assert.equal(kept.getItem('theme'), null);
  }
  const there = new Map([['theme', 'light']]);
  const kept = new Kept(() => ({ getItem: (key) => there.get(key) ?? null, setItem: (key, value) => there.set(key, value), removeItem: (key) => there.delete(key) }));
  assert.equal(kept.getItem('theme'), 'light');
  kept.setItem('theme', 'dark');
  assert.equal(there.get('theme'), 'dark');
  kept.removeItem('theme');
  assert.equal(there.size, 0);
});
