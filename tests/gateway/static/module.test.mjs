// /fsnats.js on a socket that the test holds.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { Client } from '../../../gateway/static/fsnats.js';

class Socket {
  static CONNECTING = 0;
  static all = [];
  readyState = 0;
  sent = [];
  closed = 0;

  constructor(url) {
    this.url = url;
    Socket.all.push(this);
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  say(message) {
    this.onmessage({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed++;
  }
}

beforeEach(() => {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] }); // real ones would keep Node waiting
  globalThis.WebSocket = Socket;
  Socket.all = [];
});

afterEach(() => mock.timers.reset());

const stream = (names, options) => new Client('http://gateway:1/').stream(names, options);

test('each stream gets as much of its past as was asked for it', () => {
  stream(['a@kline_1m', 'b@trade', 'c@ticker'], { history: { 'a@kline_1m': 500, 'b@trade': 40 } });
  const [socket] = Socket.all;
  socket.open();
  assert.deepEqual(socket.sent.map(({ rawStreams, history }) => [rawStreams, history]), [[['a@kline_1m'], 500], [['b@trade'], 40], [['c@ticker'], undefined]]);
});

test('names beyond what one request may hold go into another', () => {
  stream(Array.from({ length: 301 }, (_, index) => `s${index}@ticker`));
  Socket.all[0].open();
  assert.deepEqual(Socket.all[0].sent.map(({ rawStreams }) => rawStreams.length), [300, 1]);
});

test('what the gateway says of itself and of the past is told', () => {
  const told = [];
  stream(['a@trade'], { greeting: (said) => told.push(said.simulated), past: (said) => told.push(said.count), history: 3 });
  Socket.all[0].open();
  Socket.all[0].say({ type: 'connection', simulated: true });
  Socket.all[0].say({ type: 'historyEnd', stream: 'a@trade', count: 3 });
  assert.deepEqual(told, [true, 3]);
});

test('a connection that says nothing is asked, and given up when it does not answer', () => {
  const states = [];
  stream(['a@trade'], { state: (state) => states.push(state) });
  const [socket] = Socket.all;
  socket.open();
  mock.timers.tick(15_000); // the first stretch began with the opening
  mock.timers.tick(15_000);
  assert.equal(socket.sent.at(-1).type, 'ping');
  socket.say({ type: 'pong' });
  mock.timers.tick(15_000);
  mock.timers.tick(15_000);
  assert.equal(socket.sent.filter(({ type }) => type === 'ping').length, 2);
  assert.equal(states.at(-1), 'open');
  mock.timers.tick(15_000);
  assert.deepEqual([states.at(-1), socket.closed], ['waiting', 1]);
  mock.timers.tick(1000);
  assert.deepEqual([states.at(-1), Socket.all.length], ['connecting', 2]);
});

test('a stream that is ended before it is open is closed when it is', () => {
  const stop = stream(['a@trade'], { message: () => assert.fail('it is over') });
  stop();
  assert.equal(Socket.all[0].closed, 0);
  Socket.all[0].open();
  Socket.all[0].say({ stream: 'a@trade', data: {} });
  assert.equal(Socket.all[0].closed, 1);
  mock.timers.tick(100_000);
  assert.equal(Socket.all.length, 1);
});

test('of a stream that had not spoken when its connection was lost it is told once that something may be missing', () => {
  const gaps = [];
  stream(['A@trade', 'b@trade', 'c@depth'], { gap: (gap) => gaps.push([gap.stream, gap.resync ?? false]) });
  const again = (say) => {
    const socket = Socket.all.at(-1);
    socket.open();
    say?.(socket);
    socket.onclose({ code: 1006 });
    mock.timers.tick(60_000);
  };
  again(); // nobody had listened yet
  again((socket) => {
    socket.say({ type: 'subscribed', rawStreams: ['a@trade', 'b@trade', 'c@depth'], id: 2 });
    socket.say('{"stream":"b@trade","epoch":9,"seq":3,"data":{}}');
  });
  assert.deepEqual(gaps, []);
  again();
  assert.deepEqual(gaps, [['a@trade', false], ['c@depth', true]]);
  again();
  assert.equal(gaps.length, 2);
});

test('whoever keeps a book begins anew where it is not certain that nothing is missing', () => {
  const gaps = [];
  stream(['a@depth@100ms', 'a@depth20'], { gap: (gap) => gaps.push(gap) });
  Socket.all[0].open();
  for (const name of ['a@depth@100ms', 'a@depth20']) Socket.all[0].say({ type: 'resumed', stream: name, recovered: false, missed: 0 });
  assert.deepEqual(gaps.map(({ stream, resync }) => [stream, resync]), [['a@depth@100ms', true], ['a@depth20', undefined]]);
});

test('who is answered by something that is no gateway is told, and it is not asked again', () => {
  for (const nonsense of ['{"stream":', 'null', '7']) {
    const errors = [];
    stream(['a@trade'], { error: ({ code }) => errors.push(code), message: () => assert.fail(nonsense) });
    const socket = Socket.all.at(-1);
    socket.open();
    socket.say(nonsense);
    assert.deepEqual([errors, socket.closed], [['NOT_UNDERSTOOD'], 1]);
  }
});

test('what was asked too fast is asked again, one after the other, when the gateway takes it', () => {
  const stop = stream(Array.from({ length: 901 }, (_, index) => `s${index}@ticker`));
  const [socket] = Socket.all;
  socket.open();
  const tooFast = (id, retryAfter) => socket.say({ type: 'error', code: 'TOO_MANY_REQUESTS', message: 'slow down', retryAfter, id });
  const done = (id) => socket.say({ type: 'subscribed', rawStreams: [], id });
  const ids = () => socket.sent.map(({ id }) => id);
  done(1);
  tooFast(2, 0.5);
  tooFast(3, 0.8);
  tooFast(4, 1.1);
  mock.timers.tick(1099);
  assert.deepEqual(ids(), [1, 2, 3, 4]);
  mock.timers.tick(1);
  assert.deepEqual(ids(), [1, 2, 3, 4, 2]);
  done(2);
  assert.deepEqual(ids(), [1, 2, 3, 4, 2, 3]);
  tooFast(3, 0.5);
  mock.timers.tick(500);
  assert.deepEqual(ids(), [1, 2, 3, 4, 2, 3, 4]);
  assert.equal(socket.closed, 0);
  stop();
  mock.timers.tick(10_000);
  assert.equal(ids().length, 7);
});
