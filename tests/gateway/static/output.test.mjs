// The lines of a live output.
import assert from 'node:assert/strict';
import test from 'node:test';
import { LINE_MOST, Output } from '../../../gateway/static/try/output.js';

const texts = (lines) => lines.map(({ text }) => text);

test('what came is taken once', () => {
  const output = new Output();
  output.add('1');
  output.add('2');
  assert.deepEqual(texts(output.take()), ['1', '2']);
  assert.deepEqual(output.take(), []);
});

test('only the newest are kept, and those that were never shown are counted', () => {
  const output = new Output(2);
  ['1', '2', '3', '4'].forEach((text) => output.add(text));
  assert.deepEqual(texts(output.take()), ['3', '4']);
  assert.deepEqual([output.count, output.passed], [4, 2]);
});

test('while it is held still it still counts, and goes on with the newest', () => {
  const output = new Output(2);
  output.paused = true;
  ['1', '2', '3'].forEach((text) => output.add(text));
  assert.deepEqual(output.take(), []);
  output.paused = false;
  assert.deepEqual(texts(output.take()), ['2', '3']);
  assert.equal(output.count, 3);
});

test('a long line is cut, and says so', () => {
  const output = new Output();
  output.add('x'.repeat(LINE_MOST + 1234));
  assert.match(output.take()[0].text, /x … and 1,234 characters$/);
});

test("what the page says itself is no message", () => {
  const output = new Output();
  output.add('closed', 'note');
  assert.equal(output.count, 0);
});
