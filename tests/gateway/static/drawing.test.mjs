// What is drawn, when, and with which digits.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Decimals, grouped, needed, shown } from '../../../gateway/static/digits.js';
import { Paint } from '../../../gateway/static/paint.js';

test('however often a painter is asked for, it runs once a frame', () => {
  const frames = [];
  const paint = new Paint((run) => frames.push(run));
  let one = 0;
  let other = 0;
  const painters = [() => one++, () => other++];
  for (let count = 0; count < 5; count++) painters.forEach((painter) => paint.ask(painter));
  assert.deepEqual([frames.length, one, other], [1, 0, 0]);
  frames.shift()();
  assert.deepEqual([frames.length, one, other], [0, 1, 1]);
});

test('a painter that asks again while it runs has the next frame, and one that was forgotten none', () => {
  const frames = [];
  const paint = new Paint((run) => frames.push(run));
  let count = 0;
  const again = () => ++count < 3 && paint.ask(again);
  const gone = () => assert.fail('forgotten');
  paint.ask(again);
  paint.ask(gone);
  paint.forget(gone);
  frames.shift()();
  frames.shift()();
  assert.equal(count, 2);
  assert.equal(frames.length, 1);
});

test('a painter that fails takes no other with it', (t) => {
  t.mock.method(console, 'error', () => {});
  const frames = [];
  const paint = new Paint((run) => frames.push(run));
  let drawn = false;
  paint.ask(() => { throw new Error('no canvas'); });
  paint.ask(() => { drawn = true; });
  frames.shift()();
  assert.equal(drawn, true);
  assert.equal(console.error.mock.callCount(), 1);
});

test('zeros at the end of a number say nothing, all its other digits are shown', () => {
  assert.deepEqual(['42500.01000000', '7', '0.00000000', '1.50', '100'].map(needed), [2, 0, 0, 1, 0]);
  assert.equal(shown('42500.01000000', 2), '42500.01');
  assert.equal(shown('42500', 2), '42500.00');
  assert.equal(shown('0.000012345', 2), '0.000012345');
  assert.equal(shown('12.00000000', 0), '12');
});

test('digits that a JavaScript number cannot hold are shown', () => {
  assert.equal(shown('123456789012345678.123456789012345678', 0), '123456789012345678.123456789012345678');
  assert.equal(grouped('1234567.891'), '1\u2009234\u2009567.891');
  assert.equal(grouped('-123'), '-123');
});

test('all prices of a symbol stand below one another: with as many decimals as the longest of them', () => {
  const decimals = new Decimals();
  assert.deepEqual([decimals.see('1.10'), decimals.see('1.25'), decimals.see('3.0')], [true, true, false]);
  assert.equal(shown('3.0', decimals.most), '3.00');
});
