// What to send, type or run to get what was chosen, in each dialect that a gateway speaks.  Without I/O.
//
//   recipe(choice, 'http://localhost:8080') → { problem }                  it cannot be had this way, and why
//                                           → { notes, texts, live }
//
// A text is { title, language, text }; each works as it stands.  `live` says what the page itself does to show the output:
// { kind: 'socket', url, messages }, { kind: 'events', url }, { kind: 'requests', urls } or { kind: 'client', url, names, wanted }.

import { isCandle, isState, MARKETS, namesOf, TYPES, typesOf, variantOf } from './streams.js';
import * as snippets from './snippets.js';

export const DIALECTS = {
  native: 'Native WebSocket',
  normalised: 'Normalised WebSocket',
  combined: 'Binance, combined',
  raw: 'Binance, raw',
  sse: 'Server-sent events',
  rest: 'REST',
  python: 'Python',
  javascript: 'JavaScript',
};

export const CHOICE = {
  dialect: 'native',
  market: 'spot',
  symbols: ['BTCUSDT'],
  types: ['kline'],
  interval: '1m',
  level: '',
  updateSpeed: '',
  contractType: 'perpetual',
  rawNames: false, // native: streams by Binance's names
  snapshot: true,
  history: 0,
  maxRate: 0, // 0: every message
  closedOnly: false,
  seq: false,
  decimal: 'number',
  normalised: true, // sse
  token: false, // the gateway asks for one: texts take it from the environment
};

export const HISTORY_MOST = 1000;
export const EVENT_STREAMS_MOST = 200;
const ALL = 'ALL';

export function recipe(partial, origin) {
  const choice = { ...CHOICE, ...partial };
  const problem = problemOf(choice);
  if (problem) return { problem };
  const http = origin.replace(/\/$/, '');
  return MAKERS[choice.dialect](choice, { http, ws: http.replace(/^http/, 'ws') });
}

// The form fields that change anything for this choice.
export function fieldsOf({ dialect, types }) {
  const native = dialect === 'native' || dialect === 'normalised';
  const streams = native || dialect === 'python' || dialect === 'javascript';
  const fields = new Set(types.flatMap((type) => TYPES[type]?.options ?? []));
  if (streams) {
    for (const name of ['snapshot', 'history', 'maxRate']) fields.add(name);
    if (types.some(isCandle)) fields.add('closedOnly');
  }
  if (native) fields.add('rawNames').add('seq');
  if (dialect === 'sse') fields.add('normalised');
  if (dialect === 'normalised' || dialect === 'sse') fields.add('decimal');
  if (dialect === 'rest') ['updateSpeed', 'level'].forEach((name) => fields.delete(name));
  return fields;
}

function problemOf({ dialect, market, symbols, types, rawNames, history, maxRate }) {
  if (!(dialect in DIALECTS)) return `There is no dialect '${dialect}'.`;
  if (!MARKETS.includes(market)) return `There is no market '${market}'.`;
  if (!symbols.length) return 'Name at least one symbol.';
  if (!types.length) return 'Choose at least one type of stream.';
  const foreign = types.filter((type) => !typesOf(market).includes(type));
  if (foreign.length) return `${market} has no ${foreign.join(', ')}.`;
  const byType = (dialect === 'native' || dialect === 'normalised') && !rawNames;
  if (!byType && symbols.some((symbol) => symbol.toUpperCase() === ALL)) {
    return 'ALL is understood by the native and the normalised WebSocket only, where streams are named by type.';
  }
  if (!(history >= 0 && history <= HISTORY_MOST)) return `The past is 0 to ${HISTORY_MOST} events.`;
  if (maxRate && !(maxRate >= 0.01 && maxRate <= 100)) return 'The rate is 0.01 to 100 messages a second.';
  return '';
}

// What can be asked of all streams of a request, and what cannot, in words.
function delivery(choice, types, notes) {
  const options = {};
  if (choice.maxRate) {
    const events = types.filter((type) => !isState(type, choice));
    if (events.length) notes.add(`Every ${events.join(' and ')} counts: it has no slower rate.`);
    else options.maxRate = choice.maxRate;
  }
  if (choice.closedOnly) {
    const others = types.filter((type) => !isCandle(type));
    if (others.length) notes.add(`Only candles close: ${others.join(' and ')} comes whole.`);
    else options.closedOnly = true;
  }
  return options;
}

function before(choice, types, notes) {
  const fields = {};
  if (!choice.snapshot) fields.snapshot = false;
  if (choice.history) {
    const others = types.filter((type) => !TYPES[type].history);
    if (others.length) notes.add(`${others.join(' and ')} has no past to begin with: kline, aggTrade and trade have.`);
    else fields.history = choice.history;
  }
  return fields;
}

// One request a type: what does not go with one of them is left out there only.
function subscriptions(choice, notes) {
  return choice.types.map((type) => {
    const past = before(choice, [type], notes);
    if (choice.rawNames) {
      const options = delivery(choice, [type], notes);
      const names = namesOf({ ...choice, types: [type] });
      return { type: 'subscribe', rawStreams: names, ...(Object.keys(options).length && { options }), ...past };
    }
    const options = { ...variantOf(type, choice), ...delivery(choice, [type], notes) };
    const symbols = choice.symbols.map((symbol) => (symbol.toUpperCase() === ALL ? ALL : symbol.toLowerCase()));
    return { type: 'subscribe', streamType: type, symbols, ...(Object.keys(options).length && { options }), ...past };
  });
}

function socket(choice, url, messages, notes) {
  if (choice.token) notes.add('The token goes into the header Authorization: Bearer …, or, from pages, into the URL: token=…');
  const texts = [{ title: 'URL', language: 'text', text: url }];
  if (messages.length) texts.push({ title: 'Messages, one a line', language: 'json', text: messages.join('\n') });
  texts.push({ title: 'Terminal (pip install websockets)', language: 'sh', text: snippets.terminal(url, messages, choice.token) });
  texts.push({ title: 'Python (pip install websockets)', language: 'python', text: snippets.socketPython(url, messages, choice.token) });
  texts.push({ title: 'JavaScript', language: 'js', text: snippets.socketJavaScript(url, messages, choice.token) });
  return { notes: [...notes], texts, live: { kind: 'socket', url, messages } };
}

function native(choice, { ws }, path = '', query = {}) {
  const notes = new Set();
  const messages = subscriptions(choice, notes).map((request) => JSON.stringify(request));
  return socket(choice, withQuery(`${ws}/${choice.market}${path}`, { ...query, ...(choice.seq && { seq: '1' }) }), messages, notes);
}

function normalised(choice, base) {
  return native(choice, base, '/normalised', choice.decimal === 'string' ? { decimal: 'string' } : {});
}

function combined(choice, { ws }) {
  const names = namesOf(choice);
  const made = socket(choice, `${ws}/${choice.market}/stream?streams=${pathOf(names)}`, [], new Set());
  return withSubscribe(made, `${ws}/${choice.market}/stream`, names);
}

function raw(choice, { ws }) {
  const names = namesOf(choice);
  const made = socket(choice, `${ws}/${choice.market}/ws/${pathOf(names)}`, [], new Set());
  return withSubscribe(made, `${ws}/${choice.market}/ws`, names);
}

function withSubscribe(made, url, names) {
  const message = JSON.stringify({ method: 'SUBSCRIBE', params: names, id: 1 });
  made.texts.splice(1, 0, { title: `Or as a message, to ${url}`, language: 'json', text: message });
  made.notes.push('As with Binance, a name that does not exist is acknowledged and stays silent.');
  return made;
}

function sse(choice, { http }) {
  const names = namesOf(choice);
  if (names.length > EVENT_STREAMS_MOST) return { problem: `${names.length} streams: one request is for ${EVENT_STREAMS_MOST} at most.` };
  const query = { market: choice.market, streams: names.join(',') };
  if (!choice.normalised) query.format = 'raw';
  else if (choice.decimal === 'string') query.decimal = 'string';
  const url = withQuery(`${http}/api/ws/sse/stream`, query);
  const texts = [
    { title: 'URL', language: 'text', text: url },
    { title: 'curl', language: 'sh', text: snippets.curl([url], choice.token, '-N ') },
    { title: 'Python', language: 'python', text: snippets.eventsPython(url, choice.token) },
    { title: 'JavaScript', language: 'js', text: snippets.eventsJavaScript(url, choice.token) },
  ];
  return { notes: [], texts, live: { kind: 'events', url } };
}

const PREFIXES = { spot: '/spot/api/v3', usdm: '/usdm/fapi/v1', coinm: '/coinm/dapi/v1' };
const METHODS = {
  kline: ['klines', ({ interval }) => ({ interval, limit: '5' })],
  continuousKline: ['continuousKlines', ({ interval }) => ({ interval, limit: '5' })],
  depth: ['depth', () => ({ limit: '5' })],
  ticker: ['ticker/24hr', () => ({})],
  miniTicker: ['ticker/price', () => ({})],
  bookTicker: ['ticker/bookTicker', () => ({})],
  aggTrade: ['aggTrades', () => ({ limit: '5' })],
  trade: ['trades', () => ({ limit: '5' })],
  markPrice: ['premiumIndex', () => ({})],
};

function rest(choice, { http }) {
  const types = choice.types.filter((type) => type in METHODS);
  if (!types.length) return { problem: `REST does not tell ${choice.types.join(', ')}.` };
  const urls = types.flatMap((type) => choice.symbols.map((symbol) => questionOf(type, symbol.toUpperCase(), choice, http)));
  const left = choice.types.filter((type) => !(type in METHODS));
  const texts = [
    { title: urls.length > 1 ? 'URLs' : 'URL', language: 'text', text: urls.join('\n') },
    { title: 'curl', language: 'sh', text: snippets.curl(urls, choice.token) },
    { title: 'Python', language: 'python', text: snippets.restPython(urls, choice.token) },
    { title: 'JavaScript', language: 'js', text: snippets.restJavaScript(urls, choice.token) },
  ];
  return { notes: left.map((type) => `REST does not tell ${type}.`), texts, live: { kind: 'requests', urls } };
}

function questionOf(type, symbol, choice, http) {
  const [method, more] = METHODS[type];
  const subject =
    type === 'continuousKline' ? { pair: symbol, contractType: choice.contractType.toUpperCase() } : { symbol };
  return withQuery(`${http}${PREFIXES[choice.market]}/${method}`, { ...subject, ...more(choice) });
}

// Our own clients take one set of options for all streams of a call.
function client(choice, url) {
  const notes = new Set();
  const wanted = { ...before(choice, choice.types, notes), ...delivery(choice, choice.types, notes) };
  const names = namesOf(choice);
  return { notes: [...notes], names, wanted, live: { kind: 'client', url, names, wanted: asked(choice, wanted) } };
}

function asked({ market }, { snapshot, history, ...options }) {
  return {
    market,
    ...(snapshot === false && { snapshot }),
    ...(history && { history }),
    ...(Object.keys(options).length && { options }),
  };
}

function python(choice, { ws }) {
  const { notes, names, wanted, live } = client(choice, ws);
  const args = { market: choice.market, ...wanted };
  const texts = [{ title: "Python (fsnats' own client)", language: 'python', text: snippets.clientPython(ws, names, args, choice.token) }];
  return { notes, texts, live };
}

function javascript(choice, { http, ws }) {
  const { notes, names, live } = client(choice, ws);
  const text = snippets.clientJavaScript(http, ws, names, live.wanted, choice.token);
  return { notes, texts: [{ title: 'JavaScript (a module of a page)', language: 'js', text }], live };
}

const MAKERS = { native, normalised, combined, raw, sse, rest, python, javascript };

function pathOf(names) {
  return names.map(encodeName).join('/');
}

// "@" and "!" stand as Binance writes them; what is not ASCII is encoded.
function encodeName(name) {
  return encodeURIComponent(name).replace(/%40/g, '@');
}

function withQuery(url, query) {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeName(value).replace(/%2C/g, ',')}`);
  return pairs.length ? `${url}?${pairs.join('&')}` : url;
}
