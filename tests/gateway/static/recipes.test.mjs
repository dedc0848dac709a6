// What the page Try it makes of a choice.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CHOICE, DIALECTS, fieldsOf, recipe } from '../../../gateway/static/try/recipes.js';
import { nameOf } from '../../../gateway/static/try/streams.js';
import { quoted, word } from '../../../gateway/static/try/snippets.js';

const AT = 'https://gateway.example:8443';
const of = (choice) => recipe(choice, AT);
const messages = (choice) => of(choice).live.messages.map((text) => JSON.parse(text));

test('the native protocol gets one request a type, with what chooses and what thins it', () => {
  const choice = { symbols: ['BTCUSDT', 'ETHUSDT'], types: ['kline', 'depth'], level: '5', updateSpeed: '100ms', maxRate: 2, snapshot: false };
  assert.deepEqual(messages(choice), [
    { type: 'subscribe', streamType: 'kline', symbols: ['btcusdt', 'ethusdt'], options: { interval: '1m', maxRate: 2 }, snapshot: false },
    { type: 'subscribe', streamType: 'depth', symbols: ['btcusdt', 'ethusdt'], options: { level: 5, updateSpeed: '100ms', maxRate: 2 }, snapshot: false },
  ]);
  assert.equal(of({ ...choice, market: 'usdm', seq: true }).live.url, 'wss://gateway.example:8443/usdm?seq=1');
});

test('what is shown as messages is what the page sends', () => {
  const { texts, live } = of({ types: ['kline', 'trade'] });
  assert.equal(texts[1].text, live.messages.join('\n'));
});

test('streams may be named as Binance names them', () => {
  const [request] = messages({ rawNames: true, types: ['ticker'], symbols: ['BtcUsdt'] });
  assert.deepEqual(request, { type: 'subscribe', rawStreams: ['btcusdt@ticker'] });
});

test('what does not go with a type is left out of its request, and that is said', () => {
  const { notes } = of({ types: ['kline', 'trade', 'ticker'], maxRate: 1, closedOnly: true, history: 5 });
  const [kline, trade, ticker] = messages({ types: ['kline', 'trade', 'ticker'], maxRate: 1, closedOnly: true, history: 5 });
  assert.deepEqual(kline.options, { interval: '1m', maxRate: 1, closedOnly: true });
  assert.equal(kline.history, 5);
  assert.equal(trade.options, undefined);
  assert.equal(trade.history, 5);
  assert.deepEqual(ticker.options, { maxRate: 1 });
  assert.equal(ticker.history, undefined);
  assert.deepEqual(notes.map((note) => note.split(' ')[1]), ['trade', 'candles', 'has', 'candles']);
});

test('changes of a book are events, so many levels of it a state', () => {
  assert.equal(messages({ types: ['depth'], maxRate: 1 })[0].options, undefined);
  assert.deepEqual(messages({ types: ['depth'], level: '20', maxRate: 1 })[0].options, { level: 20, maxRate: 1 });
});

test("Binance's dialect has its streams in the URL, or in a message", () => {
  const combined = of({ dialect: 'combined', types: ['aggTrade', 'depth'], level: '5', updateSpeed: '100ms' });
  assert.equal(combined.live.url, 'wss://gateway.example:8443/spot/stream?streams=btcusdt@aggTrade/btcusdt@depth5@100ms');
  assert.deepEqual(JSON.parse(combined.texts[1].text).params, ['btcusdt@aggTrade', 'btcusdt@depth5@100ms']);
  const raw = of({ dialect: 'raw', market: 'coinm', symbols: ['BTCUSD_PERP'], types: ['markPrice'], updateSpeed: '1s' });
  assert.equal(raw.live.url, 'wss://gateway.example:8443/coinm/ws/btcusd_perp@markPrice@1s');
});

test('names outside of ASCII are encoded where they stand in a URL', () => {
  assert.match(of({ dialect: 'raw', symbols: ['币安人生USDT'] }).live.url, /\/ws\/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@kline_1m$/);
});

test('continuous candles are of a pair and a contract type', () => {
  const choice = { market: 'usdm', types: ['continuousKline'], interval: '5m' };
  assert.equal(nameOf('continuousKline', 'BTCUSDT', { ...CHOICE, ...choice }), 'btcusdt_perpetual@continuousKline_5m');
  const { live } = of({ ...choice, dialect: 'rest' });
  assert.deepEqual(live.urls, [`${AT}/usdm/fapi/v1/continuousKlines?pair=BTCUSDT&contractType=PERPETUAL&interval=5m&limit=5`]);
});

test('a speed that the market does not have is not asked for', () => {
  assert.equal(nameOf('depth', 'btcusdt', { ...CHOICE, market: 'usdm', updateSpeed: '1000ms' }), 'btcusdt@depth');
});

test('what cannot be had is said instead', () => {
  assert.match(of({ symbols: [] }).problem, /at least one symbol/);
  assert.match(of({ types: [] }).problem, /at least one type/);
  assert.match(of({ types: ['markPrice'] }).problem, /spot has no markPrice/);
  assert.match(of({ dialect: 'python', symbols: ['all'] }).problem, /ALL/);
  assert.match(of({ dialect: 'rest', market: 'usdm', types: ['liquidation'] }).problem, /REST does not tell liquidation/);
  assert.match(of({ history: 1001 }).problem, /1000/);
  assert.match(of({ maxRate: 1000 }).problem, /100 messages/);
  const many = Array.from({ length: 201 }, (_, index) => `S${index}USDT`);
  assert.match(of({ dialect: 'sse', symbols: many }).problem, /200 at most/);
  assert.equal(messages({ symbols: ['all', 'btcusdt'] })[0].symbols[0], 'ALL');
});

test('no text ever holds a token: it comes from the environment, or has its place', () => {
  for (const dialect of Object.keys(DIALECTS)) {
    for (const { title, text } of of({ dialect, token: true }).texts) {
      const place = /^URL|Messages|Or as/.test(title) ? '' : title.startsWith('JavaScript') ? 'YOUR_TOKEN' : 'FSNATS_TOKEN';
      assert.ok(text.includes(place), `${dialect}: ${title}`);
    }
    for (const { text } of of({ dialect }).texts) assert.doesNotMatch(text, /TOKEN/);
  }
});

test('a field is offered where it changes something', () => {
  for (const dialect of Object.keys(DIALECTS)) {
    const fields = fieldsOf({ ...CHOICE, dialect });
    const plain = JSON.stringify(of({ dialect }));
    const changes = {
      interval: { interval: '5m' }, snapshot: { snapshot: false }, history: { history: 2 }, maxRate: { maxRate: 1 },
      closedOnly: { closedOnly: true }, rawNames: { rawNames: true }, seq: { seq: true }, decimal: { decimal: 'string' },
      normalised: { normalised: false },
    };
    for (const [field, change] of Object.entries(changes)) {
      assert.equal(JSON.stringify(of({ dialect, ...change })) !== plain, fields.has(field), `${dialect}: ${field}`);
    }
  }
});

test('texts are quoted for what reads them', () => {
  assert.equal(quoted("a'b\\c\n"), "'a\\'b\\\\c\\u000a'");
  assert.equal(word("it's"), `'it'\\''s'`);
});
