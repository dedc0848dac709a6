// Streams of an fsnats gateway: comes back after a lost connection, and goes on after the last message that was read.
//
//   import { Client } from 'http://localhost:8080/fsnats.js';
//   const client = new Client('ws://localhost:8080');           // { token: '…' } where the gateway asks for one
//   const stop = client.stream(['btcusdt@trade'], {
//     message: ({ stream, data }) => console.log(stream, data),  // Binance's payload
//     gap: ({ stream, reason }) => console.warn('missing', stream, reason),
//   });
//
// Numbers in payloads are the strings that Binance sent.  Places (epochs of 19 digits) are more than a JavaScript number
// holds, so they are cut out of the text and given back as they came.

const FIRST_MS = 1000;
const MOST_MS = 60000;
const SILENCE_MS = 15000; // after which the gateway is asked whether it is there; a connection that broke may say nothing
const AT_ONCE = 300; // names of one request: below the 64 KB that a gateway takes
const PASSING = new Set(['NOT_READY', 'TOO_MANY_REQUESTS', 'BUSY', 'HISTORY_UNAVAILABLE']);
const BOOK = /@(depth|rpiDepth)(@|$)/; // of their changes none may be missing
const PLACE = /"epoch":(\d+),"seq":(\d+)/;

// As the gateway spells it in what it sends: by that name the place is found where to go on.
/** @param {string} name */
const spelled = (name) => (name.startsWith('!') ? name : name.replace(/^[^@]+/, (symbol) => symbol.toLowerCase()));

/** @param {string} text @returns {any} nothing for what is no message */
function understood(text) {
  try {
    const said = JSON.parse(text);
    return said instanceof Object ? said : undefined;
  } catch {
    return undefined; // whoever asked is told
  }
}

/**
 * @typedef {object} Options of `stream`; all may be left out
 * @property {string} [market]
 * @property {boolean} [snapshot]
 * @property {number | Record<string, number>} [history]
 * @property {object} [options]
 * @property {(said: any) => void} [message]
 * @property {(gap: any) => void} [gap]
 * @property {(error: any) => void} [error]
 * @property {(state: 'connecting' | 'open' | 'waiting' | 'closed') => void} [state]
 * @property {(end: any) => void} [past]
 * @property {(said: any) => void} [greeting]
 */

export class Client {
  constructor(url, { token = '' } = {}) {
    const parts = new URL(url);
    parts.protocol = { 'http:': 'ws:', 'https:': 'wss:' }[parts.protocol] ?? parts.protocol;
    parts.searchParams.set('seq', '1');
    if (token) parts.searchParams.set('token', token);
    this.url = parts.href;
  }

  // Read streams until the function that is returned is called.
  //   message({ stream, data, snapshot, recovered, history })
  //   gap({ stream, from, to, unit, reason, resync })   messages are missing
  //   error({ code, message, part })                    the gateway refuses: it is not asked again
  //   state('connecting' | 'open' | 'waiting' | 'closed')
  //   past({ stream, count, error })                    all of a stream's `history` has come, or why it cannot
  //   greeting({ simulated, replayed })                 once a connection: simulated data is not from Binance
  // `history` is a number, or one for each name that has any: { 'btcusdt@kline_1m': 500 }.
  /** @param {string[]} names @param {Options} [options] */
  stream(names, { market = 'spot', snapshot = true, history, options, message, gap, error, state, past, greeting } = {}) {
    const each = Object.entries(history instanceof Object ? history : {});
    const pasts = each.length ? Object.fromEntries(each.map(([name, count]) => [spelled(name), count])) : history;
    const wanted = { market, snapshot, history: pasts, options };
    return new Stream(this.url, [...new Set(names.map(spelled))], wanted, { message, gap, error, state, past, greeting }).open();
  }
}

class Stream {
  places = new Map();
  acknowledged = new Set(); // names, on this connection
  failures = 0;
  id = 0;
  over = false;
  heard = false;
  /** @type {Map<unknown, string>} */
  asked = new Map(); // requests that are not answered, by id
  /** @type {string[]} */
  refused = []; // those that came too fast: asked again one after the other
  /** @type {any} until the first of them may be */
  pause;
  later = 0; // milliseconds that the gateway wants to be left alone
  /** @type {any} */
  timer;
  /** @type {any} */
  watching;
  /** @type {any} the WebSocket of this attempt */
  socket;

  constructor(url, names, wanted, calls) {
    this.url = url;
    this.names = names;
    this.wanted = wanted;
    this.calls = calls;
  }

  open() {
    this.tell('state', 'connecting');
    const socket = (this.socket = new WebSocket(this.url));
    socket.onopen = () => {
      this.watch();
      this.ask();
    };
    socket.onmessage = (event) => {
      this.heard = true;
      this.take(event.data);
    };
    socket.onclose = (event) => this.again(event.code === 4001);
    return () => this.end();
  }

  // Twice silent in a row, although it was asked: whatever the socket believes, nobody is there.
  watch() {
    this.heard = true;
    let asked = false;
    this.watching = setInterval(() => {
      if (this.heard) {
        asked = this.heard = false;
      } else if (!asked) {
        asked = true;
        this.socket.send('{"type":"ping"}');
      } else {
        this.socket.onclose = this.socket.onmessage = null; // it may take minutes to notice
        this.socket.close();
        this.again(false);
      }
    }, SILENCE_MS);
  }

  end() {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    this.calm();
    // A browser complains of sockets that are closed before they are open.
    if (this.socket.readyState === WebSocket.CONNECTING) this.socket.onopen = () => this.socket.close();
    else this.socket.close();
    this.tell('state', 'closed');
  }

  ask() {
    const known = this.names.filter((name) => this.places.has(name));
    this.request(known, true);
    const { history } = this.wanted;
    const fresh = new Map(); // by how much of their past is wanted
    for (const name of this.names.filter((name) => !this.places.has(name))) {
      const past = typeof history === 'object' ? history[name] : history;
      fresh.set(past, [...(fresh.get(past) ?? []), name]);
    }
    for (const [past, names] of fresh) this.request(names, false, past);
    this.tell('state', 'open');
    const lost = this.acknowledged; // they had not spoken yet: without a place they begin anew
    this.acknowledged = new Set();
    for (const name of this.names) if (lost.has(name) && !this.places.has(name)) this.unsure(name);
  }

  request(all, resumes, history) {
    for (let start = 0; start < all.length; start += AT_ONCE) this.say(all.slice(start, start + AT_ONCE), resumes, history);
  }

  say(names, resumes, history) {
    const { market, snapshot, options } = this.wanted;
    const asked = { type: 'subscribe', id: ++this.id, market, rawStreams: names, options };
    let text = JSON.stringify({ ...asked, snapshot, history });
    if (resumes) {
      const places = names.map((name) => `${JSON.stringify(name)}:${this.places.get(name)}`).join(',');
      text = `${JSON.stringify({ ...asked, snapshot: false }).slice(0, -1)},"resume":{${places}}}`;
    }
    this.asked.set(asked.id, text);
    this.socket.send(text);
  }

  next() {
    this.pause = undefined;
    const text = this.refused.shift();
    if (text) this.socket.send(text);
  }

  calm() {
    clearInterval(this.watching);
    clearTimeout(this.pause);
    this.pause = undefined;
    this.refused = [];
    this.asked.clear();
  }

  take(text) {
    if (this.over) return;
    const said = understood(text);
    if (!said) {
      this.refuse({ code: 'NOT_UNDERSTOOD', message: 'what answers here is no gateway' });
    } else if (said.stream !== undefined && said.type === undefined) {
      this.failures = 0;
      const place = PLACE.exec(text.slice(0, text.indexOf('"data":')));
      if (place && !said.history) this.places.set(said.stream, `{"epoch":${place[1]},"seq":${place[2]}}`);
      this.tell('message', said);
    } else if (said.type === 'historyEnd') {
      this.tell('past', said);
    } else if (said.type === 'connection') {
      this.tell('greeting', said);
    } else if (said.type === 'gap') {
      this.tell('gap', said.data);
    } else if (said.type === 'subscribed') {
      for (const name of said.rawStreams) this.acknowledged.add(name);
      this.asked.delete(said.id);
      if (this.pause === undefined) this.next();
    } else if (said.type === 'resumed' && !said.recovered) {
      this.unsure(said.stream);
    } else if (said.type === 'error') {
      const text = said.code === 'TOO_MANY_REQUESTS' && this.asked.get(said.id);
      if (text) {
        this.refused.push(text);
        clearTimeout(this.pause);
        this.pause = setTimeout(() => this.next(), (said.retryAfter ?? 1) * 1000);
      } else if (PASSING.has(said.code)) {
        this.later = (said.retryAfter ?? 0) * 1000;
        this.socket.close();
      } else {
        this.refuse(said);
      }
    }
  }

  refuse(error) {
    this.tell('error', error);
    this.end();
  }

  unsure(stream) {
    this.tell('gap', { stream, reason: 'not certain that nothing is missing', resync: BOOK.test(stream) || undefined });
  }

  again(revoked) {
    this.calm();
    if (this.over) return;
    if (revoked) {
      this.refuse({ code: 'FORBIDDEN', message: 'the token is not valid any more' });
      return;
    }
    const most = Math.min(FIRST_MS * 2 ** this.failures++, MOST_MS);
    this.timer = setTimeout(() => this.open(), Math.max(this.later, most * (0.5 + Math.random() / 2)));
    this.later = 0;
    this.tell('state', 'waiting');
  }

  tell(what, value) {
    try {
      this.calls[what]?.(value);
    } catch (failure) {
      console.error(failure); // the caller's own: it must not end ours
    }
  }
}
