// What a recipe brings, live: over the very connection that it describes.

import { Refused } from '../shell/gateway.js';

const FIRST_MS = 1000; // before a lost connection is opened again
const MOST_MS = 30_000;
const REVOKED = 4001;
const EVENTS = ['gap', 'resumed', 'goodbye', 'close'];

/**
 * @typedef {object} Ears
 * @property {(text: string, kind?: string) => void} line something came; `kind` is data, note or error
 * @property {(state: 'connecting' | 'open' | 'waiting' | 'done') => void} state
 */

/**
 * Begin, until the function that is returned is called.
 * @param {any} live of a recipe
 * @param {import('../shell/gateway.js').Gateway} gateway
 * @param {Ears} ears
 * @returns {() => void}
 */
export function run(live, gateway, ears) {
  return { socket, events, requests, client }[/** @type {'socket'} */ (live.kind)](live, gateway, ears);
}

/** @param {{ url: string, messages: string[] }} live @param {import('../shell/gateway.js').Gateway} gateway @param {Ears} ears */
function socket({ url, messages }, gateway, ears) {
  let failures = 0;
  let timer = 0;
  /** @type {WebSocket} */
  let open;
  const connect = () => {
    let opened = false;
    ears.state('connecting');
    open = new WebSocket(gateway.admitted(url));
    open.onopen = () => {
      opened = true;
      failures = 0;
      ears.state('open');
      for (const message of messages) {
        open.send(message);
        ears.line(`sent ${message}`, 'note');
      }
    };
    open.onmessage = ({ data }) => ears.line(data, isError(data) ? 'error' : 'data');
    open.onclose = ({ code, reason }) => {
      if (opened) ears.line(`closed with ${code}${reason && ` ${reason}`}`, 'error');
      else why(gateway, ears);
      if (code === REVOKED) {
        ears.state('done');
        return;
      }
      ears.state('waiting');
      timer = setTimeout(connect, Math.min(FIRST_MS * 2 ** failures++, MOST_MS));
    };
  };
  connect();
  return () => {
    clearTimeout(timer);
    open.onclose = open.onmessage = open.onopen = null;
    open.close();
  };
}

/** A browser does not say why a WebSocket was refused: see whether requests are, too. @param {import('../shell/gateway.js').Gateway} gateway @param {Ears} ears */
async function why(gateway, ears) {
  ears.line(
    await refusal(gateway, 'api/v1/symbols', 'the connection was refused, and browsers do not say why: this gateway may lack the market, or the token a right to it'),
    'error',
  );
}

/** The gateway's own words, or these, if it has none. @param {import('../shell/gateway.js').Gateway} gateway @param {string} url @param {string} otherwise */
async function refusal(gateway, url, otherwise) {
  const asking = new AbortController();
  try {
    await gateway.fetch(url, { signal: asking.signal });
    return otherwise;
  } catch (failure) {
    if (failure instanceof Refused) return failure.status ? `${failure.status}: ${failure.message}` : failure.message;
    throw failure;
  } finally {
    asking.abort(); // what is no refusal may be a stream without an end
  }
}

/** @param {{ url: string }} live @param {import('../shell/gateway.js').Gateway} gateway @param {Ears} ears */
function events({ url }, gateway, ears) {
  const source = new EventSource(gateway.admitted(url));
  ears.state('connecting');
  source.onopen = () => ears.state('open');
  source.onmessage = ({ data, lastEventId }) => ears.line(`${lastEventId ? `id: ${lastEventId}\n` : ''}data: ${data}`);
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => ears.line(`event: ${name}\ndata: ${/** @type {MessageEvent} */ (event).data}`, 'note'));
  }
  source.onerror = async () => {
    const isOver = source.readyState === EventSource.CLOSED; // it was refused, and does not come again by itself
    ears.state(isOver ? 'done' : 'waiting');
    ears.line(isOver ? await refusal(gateway, url, 'the gateway ended the events') : 'the connection was lost; the browser opens another one', 'error');
  };
  return () => source.close();
}

/** @param {{ urls: string[] }} live @param {import('../shell/gateway.js').Gateway} gateway @param {Ears} ears */
function requests({ urls }, gateway, ears) {
  const asking = new AbortController();
  const ask = async () => {
    ears.state('connecting');
    for (const url of urls) {
      if (asking.signal.aborted) return;
      ears.line(`GET ${url}`, 'note');
      try {
        const reply = await gateway.fetch(url, { signal: asking.signal });
        const source = reply.headers.get('x-fsnats-source');
        ears.line(`${reply.status}${source ? `, answered by ${source}` : ''}`, 'note');
        ears.line(await gateway.text(reply, { signal: asking.signal }));
      } catch (failure) {
        if (asking.signal.aborted) return;
        if (!(failure instanceof Refused)) throw failure;
        ears.line(failure.status ? `${failure.status}: ${failure.message}` : failure.message, 'error');
      }
    }
    ears.state('done');
  };
  ask();
  return () => asking.abort();
}

/** As /fsnats.js and the Python client do it. @param {{ names: string[], wanted: Record<string, any> }} live @param {import('../shell/gateway.js').Gateway} gateway @param {Ears} ears */
function client({ names, wanted }, gateway, ears) {
  const end = gateway.stream(names, {
    ...wanted,
    /** @param {any} said */
    message: ({ stream, data }) => ears.line(`${stream} ${JSON.stringify(data)}`),
    /** @param {any} gap */
    gap: (gap) => ears.line(`missing ${JSON.stringify(gap)}`, 'error'),
    /** @param {any} error */
    error: ({ code, message }) => ears.line(`${code}: ${message}`, 'error'),
    /** @param {'connecting' | 'open' | 'waiting' | 'closed'} state */
    state: (state) => ears.state(state === 'closed' ? 'done' : state),
  });
  return end;
}

/** An error of the native protocol, or of Binance's. @param {string} text */
function isError(text) {
  return text.startsWith('{"type":"error"') || text.startsWith('{"error"');
}
