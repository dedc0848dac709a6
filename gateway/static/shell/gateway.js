// The gateway that served this page: its streams over WebSocket, its requests over HTTP, and how the way there is.

import { Client } from '../fsnats.js';
import { Store } from './store.js';
import { health } from './health.js';

const SIMULATED = 'x-fsnats-simulated';
const PROBE = 'api/ws/streams'; // answered at once, by as much as a WebSocket: a token, a gateway that is ready
const PROBE_MS = 3000; // between two questions why no connection comes about
const ATTEMPTS = 3; // of WebSockets in vain, while HTTP answers, until that is said
const GONE = 'The gateway cannot be reached, trying again';
const SHUT_OUT = 'HTTP answers, WebSockets do not: a limit of the gateway, a proxy, or FSNATS_GATEWAY_ORIGINS';

/** The gateway said no, or (status 0) nothing. */
export class Refused extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Gateway {
  /** @type {Map<symbol, import('./health.js').StreamState>} */
  #states = new Map();
  #trouble = '';
  #probing = 0;
  #failures = 0; // of WebSockets, one after the other
  #base;
  #token;
  #unauthorised;

  /**
   * @param {URL} base where the gateway is
   * @param {() => string} token the one to show, or nothing
   * @param {(why: string) => void} unauthorised called when the gateway wants one, or another one
   */
  constructor(base, token, unauthorised) {
    this.#base = base;
    this.#token = token;
    this.#unauthorised = unauthorised;
    /** @type {Store<import('./health.js').Health>} */
    this.health = new Store(health([], ''));
    /** Whether anything that came here said that it was made up. */
    this.simulated = new Store(false);
  }

  /** Where a path of this gateway is. @param {string} path without a slash before it */
  url(path) {
    return new URL(path, this.#base);
  }

  /** Whether it is shown a token. */
  get guarded() {
    return this.#token() !== '';
  }

  /** An address with the token in it, for what sends no headers: WebSockets and events. @param {string} url */
  admitted(url) {
    const parts = new URL(url);
    if (this.guarded) parts.searchParams.set('token', this.#token());
    return parts.href;
  }

  /**
   * Ask over HTTP.  Rejects with `Refused`.
   * @param {string} path
   * @param {RequestInit} [options]
   * @returns {Promise<Response>}
   */
  async fetch(path, options = {}) {
    const headers = new Headers(options.headers);
    if (this.#token()) headers.set('Authorization', `Bearer ${this.#token()}`);
    let reply;
    try {
      reply = await fetch(this.url(path), { ...options, headers });
    } catch (failure) {
      if (options.signal?.aborted) throw failure;
      this.#troubled(GONE);
      throw new Refused(0, 'the gateway cannot be reached');
    }
    if (reply.headers.get(SIMULATED) === 'true') this.simulated.set(true);
    if (reply.ok) {
      this.#troubled('');
      return reply;
    }
    const why = await reason(reply);
    if (reply.status === 401) this.#unauthorised(why);
    this.#troubled(reply.status === 401 ? 'Access token needed' : reply.status === 503 ? `Not ready: ${why}` : '');
    throw new Refused(reply.status, why);
  }

  /**
   * All that a reply says.  Rejects with `Refused` where it is cut off.
   * @param {Response} reply
   * @param {RequestInit} [options] those of the request
   */
  async text(reply, options = {}) {
    try {
      return await reply.text();
    } catch (failure) {
      if (options.signal?.aborted) throw failure;
      this.#troubled(GONE);
      throw new Refused(0, 'its answer was cut off');
    }
  }

  /** Ask for JSON. @param {string} path @param {RequestInit} [options] @returns {Promise<any>} */
  async json(path, options) {
    const text = await this.text(await this.fetch(path, options), options);
    try {
      return JSON.parse(text);
    } catch {
      throw new Refused(0, 'what answers is no gateway');
    }
  }

  /**
   * Read streams until the function that is returned is called; arguments as `Client.stream` of /fsnats.js has them.
   * @param {string[]} names
   * @param {Record<string, any>} options
   * @returns {() => void}
   */
  stream(names, options) {
    const key = Symbol('stream');
    const client = new Client(this.#base.href, { token: this.#token() });
    /** @type {any} */
    const calls = {
      ...options,
      /** @param {{ simulated?: boolean }} said */
      greeting: (said) => {
        if (said.simulated) this.simulated.set(true);
        options.greeting?.(said);
      },
      /** @param {{ part?: unknown }} said */
      error: (said) => {
        if (said.part === undefined) this.#probe(); // not a stream: whoever asks is refused, and HTTP says why
        options.error?.(said);
      },
      /** @param {import('./health.js').StreamState} state */
      state: (state) => {
        if (state === 'closed') this.#states.delete(key);
        else this.#states.set(key, state);
        if (state === 'open') {
          this.#trouble = '';
          this.#failures = 0;
        }
        if (state === 'waiting') {
          this.#failures++;
          this.#probe();
        }
        this.#tell();
        options.state?.(state);
      },
    };
    return client.stream(names, calls);
  }

  /** A browser does not say why a WebSocket was refused; HTTP does. */
  async #probe() {
    if (Date.now() - this.#probing < PROBE_MS) return;
    this.#probing = Date.now();
    try {
      await this.fetch(PROBE);
      if (this.#failures >= ATTEMPTS) this.#troubled(SHUT_OUT);
    } catch (failure) {
      if (!(failure instanceof Refused)) throw failure; // which fetch has told already
    }
  }

  /** @param {string} why */
  #troubled(why) {
    this.#trouble = why;
    this.#tell();
  }

  #tell() {
    const now = health(this.#states.values(), this.#trouble);
    const { kind, text } = this.health.value;
    if (now.kind !== kind || now.text !== text) this.health.set(now);
  }
}

/** What a refusal says. @param {Response} reply */
async function reason(reply) {
  const text = await reply.text().catch(() => ''); // cut off: then its status has to do
  try {
    const said = JSON.parse(text);
    return String(said.detail ?? said.msg ?? reply.statusText);
  } catch {
    return text.trim().slice(0, 300) || `${reply.status} ${reply.statusText}`;
  }
}
