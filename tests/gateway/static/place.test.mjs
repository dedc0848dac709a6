// A choice of the page Try it in the page's URL.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choiceOf, partsOf, symbolsOf } from '../../../gateway/static/try/place.js';
import { CHOICE } from '../../../gateway/static/try/recipes.js';

test('a choice survives the way through the URL', () => {
  const choice = {
    ...CHOICE, dialect: 'normalised', market: 'usdm', symbols: ['BTCUSDT', '币安人生USDT'], types: ['kline', 'depth'],
    interval: '1M', level: '20', history: 7, maxRate: 0.5, snapshot: false, closedOnly: true, decimal: 'string',
  };
  assert.deepEqual(choiceOf(partsOf(choice)), choice);
  assert.deepEqual(choiceOf(partsOf(CHOICE)), CHOICE);
  assert.equal(partsOf(CHOICE).length, 4);
});

test('nothing chosen is not the same as nothing said', () => {
  const none = { ...CHOICE, symbols: [], types: [] };
  assert.deepEqual(choiceOf(partsOf(none)), none);
  assert.deepEqual(choiceOf([]), CHOICE);
});

test('whoever typed nonsense gets what is usual', () => {
  const parts = ['klingon', 'mars', 'btcusdt', 'kline,nonsense', 'history=many&nonsense=1&token=true&interval'];
  assert.deepEqual(choiceOf(parts), CHOICE);
});

test('symbols are separated by anything', () => {
  assert.deepEqual(symbolsOf(' btcusdt, ETHUSDT;bnbusdt\nbtcusdt '), ['BTCUSDT', 'ETHUSDT', 'BNBUSDT']);
});
