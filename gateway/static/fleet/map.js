// The map: exits, the workers that dial by them, and their connections.

import { el, say } from '../shell/dom.js';
import { keyed } from './keyed.js';
import { shortName } from './look.js';
import { count, counted, first, perSecond } from './words.js';

/** @typedef {import('./look.js').Look} Look @typedef {import('./look.js').Worker} Worker @typedef {import('./look.js').Connection} Connection */
/** @typedef {{ worker: Worker, connections: Connection[] }} Stop a worker, with those of its connections that go by one exit */
/** @typedef {{ name: string, exit: any, stops: Stop[], rest: number }} Way */

export const WORKERS_MOST = 60; // cards below one exit
export const CONNECTIONS_MOST = 12; // of one worker
const NOWHERE = '';

/**
 * Which workers dial by which exit.  One that is down stays where it was last, `homes` remembers.  Pure, but for `homes`.
 * @param {Look} look @param {Map<string, string>} homes by worker
 * @returns {Way[]}
 */
export function ways(look, homes) {
  const byExit = new Map(look.exits.map((each) => [each.name, { name: each.name, exit: each, stops: /** @type {Stop[]} */ ([]), rest: 0 }]));
  const way = (/** @type {string} */ name) => {
    const found = byExit.get(name) ?? { name, exit: undefined, stops: [], rest: 0 };
    byExit.set(name, found);
    return found;
  };
  for (const worker of look.workers) {
    const names = [...new Set(worker.connections.map((each) => each.exit ?? homes.get(worker.name) ?? NOWHERE))];
    if (!names.length) names.push(worker.answers ? NOWHERE : (homes.get(worker.name) ?? NOWHERE));
    for (const name of names) {
      const connections = worker.connections.filter((each) => (each.exit ?? homes.get(worker.name) ?? NOWHERE) === name);
      way(name).stops.push({ worker, connections });
      if (name !== NOWHERE) homes.set(worker.name, name);
    }
  }
  for (const each of byExit.values()) {
    // Where not all fit, those that somebody has to look at come first.
    if (each.stops.length > WORKERS_MOST) each.stops.sort((one, other) => Number(!one.worker.severity) - Number(!other.worker.severity));
    [each.stops, each.rest] = first(each.stops, WORKERS_MOST);
  }
  return [...byExit.values()].filter((each) => each.exit || each.stops.length);
}

export const KINDS = /** @type {const} */ ({ '': 'good', warning: 'poor', error: 'bad' });

/** What a card says of its worker. @param {Worker} worker */
export function word(worker) {
  if (!worker.answers) return { kind: 'bad', text: worker.state === 'ready' ? 'does not answer' : `down: ${worker.state}` };
  if (worker.severity === 'error') return { kind: 'bad', text: 'in trouble' };
  return worker.severity ? { kind: 'poor', text: 'look at it' } : { kind: 'good', text: 'well' };
}

/**
 * @param {(parts: string[]) => void} choose a connection was chosen
 * @returns {{ element: HTMLElement, show: (look: Look, rates: import('./rates.js').Rates, chosen: string) => void }}
 */
export function map(choose) {
  const element = el('div', { class: 'fleet-map' });
  const homes = /** @type {Map<string, string>} */ (new Map());
  /** @type {import('./rates.js').Rates} */
  let rates;
  let chosen = '';

  /** @param {Way} way */
  function makeWay(way) {
    const badge = el('span', { class: 'badge' });
    const facts = el('span', { class: 'hint' });
    const cards = el('ul', { class: 'fleet-cards' });
    const more = el('p', { class: 'hint' });
    const title = way.name === NOWHERE ? 'Workers without a connection' : `Exit ${way.name}`;
    return {
      element: el('section', { class: 'fleet-way', 'aria-label': title }, el('h3', {}, title, ' ', badge, ' ', facts), cards, more),
      update(/** @type {Way} */ now) {
        badge.hidden = !now.exit;
        if (now.exit) tell(badge, now.exit.severity ? 'not used for everything' : 'used', KINDS[/** @type {''} */ (now.exit.severity)]);
        say(facts, now.exit ? ofExit(now.exit) : '');
        keyed(cards, now.stops, (each) => each.worker.name, makeCard);
        more.hidden = !now.rest;
        say(more, `and ${counted(now.rest, 'worker')} more that are well`);
      },
    };
  }

  function makeCard() {
    const name = el('h4');
    const badge = el('span', { class: 'badge' });
    const facts = el('p', { class: 'hint' });
    const said = el('p', { class: 'fleet-said' });
    const list = el('ul', { class: 'fleet-connections' });
    const element = el('li', { class: 'fleet-card' }, el('div', { class: 'fleet-head' }, name, badge), facts, said, list);
    return {
      element,
      update(/** @type {Stop} */ { worker, connections }) {
        const how = word(worker);
        element.className = `fleet-card ${how.kind}`;
        say(name, worker.name);
        tell(badge, how.text, how.kind);
        const facts_ = [worker.market, worker.answers && counted(worker.symbols, 'symbol'), worker.answers && perSecond(rates.of(worker, 'messages'))];
        if (worker.restarts) facts_.push(`started again ${counted(worker.restarts, 'time')}`);
        say(facts, facts_.filter(Boolean).join(' · '));
        const last = worker.lastExit === null || worker.answers ? '' : worker.lastExit < 0 ? `signal ${-worker.lastExit} ended it` : `ended with status ${worker.lastExit}`;
        say(said, [last, worker.said, worker.silent ? `${counted(worker.silent, 'stream')} silent` : ''].filter(Boolean).join('; '));
        said.hidden = !said.textContent;
        const [few, rest] = first(connections, CONNECTIONS_MOST);
        const rows = [...few.map((each) => ({ worker, connection: each })), ...(rest ? [{ worker, rest }] : [])];
        keyed(list, rows, (each) => ('connection' in each ? each.connection.id : '+'), makeConnection);
      },
    };
  }

  /** @param {any} made */
  function makeConnection(made) {
    const text = el('span');
    const detail = el('span', { class: 'hint' });
    if (!made.connection) return { element: el('li', {}, detail), update: (/** @type {any} */ now) => say(detail, `and ${now.rest} more`) };
    const button = el('button', { type: 'button', onclick: () => choose([made.worker.name, made.connection.id]) }, text, ' ', detail);
    return {
      element: el('li', {}, button),
      update(/** @type {any} */ { worker, connection }) {
        const kind = connection.status === 'connected' ? KINDS[connection.severity] : 'bad';
        button.className = `fleet-connection ${kind}`;
        button.setAttribute('aria-pressed', String(connection.id === chosen));
        say(text, `${shortName(connection.id, worker.name)}${connection.status === 'connected' ? '' : ` ${connection.status}`}`);
        const live = `${count(connection.live)} of ${counted(connection.streams.length, 'stream')}`;
        say(detail, `${live} · ${perSecond(rates.of(worker, connection.id))}`);
      },
    };
  }

  return {
    element,
    show(look, now, isChosen) {
      rates = now;
      chosen = isChosen;
      keyed(element, ways(look, homes), (each) => each.name, makeWay);
    },
  };
}

/** @param {any} exit */
function ofExit(exit) {
  const weights = Object.entries(exit.weight ?? {}).map(([scope, { used, limit }]) => `REST ${scope} ${count(used)} of ${count(limit)}`);
  return [`${counted(exit.dials_free ?? 0, 'dial')} left`, ...weights].join(' · ');
}

/** @param {HTMLElement} badge @param {string} text @param {string} kind */
function tell(badge, text, kind) {
  const name = `badge ${kind}`;
  if (badge.className !== name) badge.className = name;
  say(badge, text);
}
