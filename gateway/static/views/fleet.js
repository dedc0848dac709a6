// The fleet: what is wrong and what to do, who carries what by which way, who is served, and what happens.

import { detail } from '../fleet/detail.js';
import { joined, sentence } from '../fleet/events.js';
import { keyed, table } from '../fleet/keyed.js';
import { look } from '../fleet/look.js';
import { keepLooking } from '../fleet/looking.js';
import { map } from '../fleet/map.js';
import { Rates } from '../fleet/rates.js';
import { isNatsGone, standing } from '../fleet/standing.js';
import * as rows from '../fleet/tables.js';
import { count, counted, first, perSecond } from '../fleet/words.js';
import { el, say } from '../shell/dom.js';
import { Refused } from '../shell/gateway.js';

const TROUBLES_MOST = 30;
const EVENTS_MOST = 200;
const TICK_MS = 1000; // the age of what is shown

/** @type {import('../shell/views.js').Mount} */
export function mount(root, context) {
  const { gateway, parts, go, announce } = context;
  const rates = new Rates();
  let seen = /** @type {import('../fleet/look.js').Look | undefined} */ (undefined);
  let seenAt = 0;
  let failure = /** @type {{ status: number, message: string } | null} */ (null);
  let told = ''; // the standing that was announced
  let happened = /** @type {import('../fleet/events.js').Event[]} */ ([]);
  let after = ''; // the newest event that is known
  let missed = 0;

  const state = el('p', { class: 'fleet-standing' });
  const tiles = el('dl', { class: 'fleet-tiles' });
  const troubles = el('ul', { class: 'fleet-troubles' });
  const well = el('p', { class: 'fleet-well' });
  const more = el('p', { class: 'hint', hidden: true });
  const chart = map(go);
  const streams = detail(context);
  const tables = {
    gateways: table('Gateways', rows.GATEWAYS),
    lag: table('Time on the way, where it takes longest', rows.LAG),
    programs: table('Programs', rows.PROGRAMS),
    recorders: table('Recorders', rows.RECORDERS),
    captures: table('Captures', rows.CAPTURES),
    markets: table('Markets', rows.MARKETS),
  };
  const log = el('ol', { class: 'fleet-log' });
  const unheard = el('p', { class: 'hint', hidden: true });
  const known = el('div', { class: 'fleet-known', hidden: true },
    tiles,
    el('section', { class: 'panel', 'aria-labelledby': 'fleet-wrong' }, el('h2', { id: 'fleet-wrong' }, 'What is wrong'), well, troubles, more),
    el('section', { class: 'panel', 'aria-labelledby': 'fleet-map' }, el('h2', { id: 'fleet-map' }, 'Exits, workers, connections'), chart.element),
    streams.element,
    ...Object.values(tables).map((each) => each.element),
    el('section', { class: 'panel', 'aria-labelledby': 'fleet-log' },
      el('h2', { id: 'fleet-log' }, 'As it happens'),
      el('div', { class: 'fleet-scroll fleet-tall', tabIndex: 0, role: 'log', 'aria-live': 'off', 'aria-label': 'As it happens' }, log), unheard),
  );
  root.append(el('h1', { class: 'unseen' }, 'Fleet'), state, known);

  /** @param {AbortSignal} signal */
  async function once(signal) {
    try {
      const told = await gateway.json('api/fleet', { signal });
      failure = null;
      take(look(told));
      await Promise.all([streams.ask(signal), news(signal)]);
    } catch (problem) {
      if (!(problem instanceof Refused) && !signal.aborted) throw problem;
      failure = problem instanceof Refused ? problem : { status: 0, message: 'the gateway does not answer' };
      show();
    }
    tick();
  }

  /** @param {import('../fleet/look.js').Look} now */
  function take(now) {
    if (seen?.at !== now.at || seen?.gateway !== now.gateway) seenAt = performance.now();
    tellOf(seen, now);
    rates.add(now);
    seen = now;
    show();
  }

  /** Say what is wrong now and was not before, and when all is well again. @param {import('../fleet/look.js').Look | undefined} before @param {import('../fleet/look.js').Look} now */
  function tellOf(before, now) {
    const errors = (/** @type {import('../fleet/look.js').Look | undefined} */ look) => (look?.troubles ?? []).filter((each) => each.severity === 'error');
    const old = new Set(errors(before).map(placeOf));
    const begun = errors(now).filter((each) => !old.has(placeOf(each)));
    if (begun.length) announce(begun.slice(0, 3).map((each) => each.what).join('. '));
    else if (old.size && !errors(now).length) announce('The fleet is well again');
  }

  /** @param {AbortSignal} signal */
  async function news(signal) {
    try {
      const told = await gateway.json(`api/fleet/events${after && `?after=${encodeURIComponent(after)}`}`, { signal });
      after = told.after;
      happened = joined(happened, told.events, EVENTS_MOST);
      missed += told.missed;
      say(unheard, missed ? `and ${count(missed)} more, which came too fast to be kept` : happened.length ? '' : 'Nothing happened since these programs started.');
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      say(unheard, `What happens is not known now: ${problem.message}`);
    }
    unheard.hidden = !unheard.textContent;
    keyed(log, happened, (each) => each.id, event);
  }

  function show() {
    if (!seen) return;
    const now = seen;
    known.hidden = false;
    keyed(tiles, numbers(now), (each) => each[0], tile);
    const [few, rest] = first(now.troubles, TROUBLES_MOST);
    say(well, now.troubles.length ? '' : 'Nothing is wrong.');
    well.hidden = now.troubles.length > 0;
    keyed(troubles, few, placeOf, trouble);
    more.hidden = !rest;
    say(more, `and ${counted(rest, 'trouble')} more`);
    chart.show(now, rates, parts.value[1] ?? '');
    streams.show(now);
    for (const name of /** @type {(keyof typeof tables)[]} */ (Object.keys(tables))) tables[name].show(rows[name](now, rates, isNatsGone(failure)));
  }

  /** @param {import('../fleet/look.js').Look} now @returns {[string, string, string][]} name, number, kind */
  function numbers(now) {
    const connections = now.workers.flatMap((each) => each.connections);
    const open = connections.filter((each) => each.status === 'connected').length;
    const answer = now.workers.filter((each) => each.answers).length;
    const sum = (/** @type {number[]} */ values) => values.reduce((all, each) => all + each, 0);
    const wanted = sum(connections.map((each) => each.streams.length));
    const live = sum(connections.map((each) => each.live));
    const slow = sum(now.gateways.map((each) => each.slow_clients ?? 0));
    return [
      ['From the exchange', perSecond(rates.sum(now.workers, 'messages')), ''],
      ['To clients', perSecond(rates.sum(now.gateways, 'delivered')), ''],
      ['Workers', `${answer} of ${now.workers.length}`, answer < now.workers.length ? 'bad' : ''],
      ['Connections', `${open} of ${connections.length}`, open < connections.length ? 'bad' : ''],
      ['Streams that flow', `${count(live)} of ${count(wanted)}`, ''],
      ['Gateways', count(now.gateways.length), ''],
      ['Clients', count(sum(now.gateways.map((each) => each.clients ?? 0))), ''],
      ['Slow clients', count(slow), slow ? 'poor' : ''],
    ];
  }

  function tick() {
    const now = standing(seen ? (performance.now() - seenAt) / 1000 : null, failure);
    state.className = `fleet-standing badge ${now.kind}`;
    say(state, seen && !now.isStale ? `${now.text} by ${seen.gateway}` : now.text);
    root.classList.toggle('fleet-stale', now.isStale);
    const short = now.text.split(':')[0].replace(/[\d.]+\w+/, '');
    if (now.kind === 'bad' ? short !== told : told !== '') announce(now.kind === 'bad' ? now.text : 'The fleet is seen again');
    told = now.kind === 'bad' ? short : '';
  }

  const timer = setInterval(tick, TICK_MS);
  const ends = [keepLooking(once), parts.subscribe(show), () => clearInterval(timer), streams.end];
  return () => ends.forEach((end) => end());
}

/** What one trouble stays, while its words change. @param {import('../fleet/look.js').Trouble} trouble */
function placeOf({ where, severity, what }) {
  return `${severity} ${JSON.stringify(where)} ${what.replace(/[\d.,]+/g, '')}`;
}

/** @param {[string, string, string]} made */
function tile([name]) {
  const value = el('dd', { class: 'number' });
  return {
    element: el('div', {}, el('dt', {}, name), value),
    update(/** @type {[string, string, string]} */ [, text, kind]) {
      value.className = `number ${kind}`;
      say(value, text);
    },
  };
}

function trouble() {
  const badge = el('span', { class: 'badge' });
  const what = el('strong');
  const what_to_do = el('span', { class: 'quiet' });
  const element = el('li', {}, badge, ' ', what, el('br'), what_to_do);
  return {
    element,
    update(/** @type {import('../fleet/look.js').Trouble} */ now) {
      const isError = now.severity === 'error';
      element.className = isError ? 'bad' : 'poor';
      badge.className = `badge ${isError ? 'bad' : 'poor'}`;
      say(badge, isError ? 'wrong' : 'look');
      say(what, now.what);
      say(what_to_do, `What to do: ${now.do}`);
    },
  };
}

/** @param {import('../fleet/events.js').Event} each */
function event(each) {
  const { kind, word, text } = sentence(each);
  const at = new Date(each.at).toLocaleTimeString('en-GB');
  return { element: el('li', {}, el('span', { class: 'quiet number' }, at), ' ', el('span', { class: `badge ${kind}` }, word), ' ', text), update() {} };
}
