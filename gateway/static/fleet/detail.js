// One connection, or all of them: its facts, its streams and how fresh they are.  Workers are asked for streams while they are shown.

import { el, say } from '../shell/dom.js';
import { Refused } from '../shell/gateway.js';
import { hops } from './hops.js';
import { keyed, table } from './keyed.js';
import { COLUMNS, rows, ROWS_MOST, SORTS } from './streams.js';
import { count, counted, span } from './words.js';

export const ALL = '*'; // of all workers, in the place of one's name

/** @param {import('../shell/views.js').Context} context */
export function detail({ gateway, go, parts }) {
  let measured = /** @type {ReturnType<typeof hops> | undefined} */ (undefined);
  const q = el('input', { type: 'search', spellcheck: false, placeholder: 'part of a name', 'aria-label': 'Find streams' });
  const sort = el('select', { 'aria-label': 'Which first' }, ...Object.entries(SORTS).map(([value, text]) => el('option', { value }, text)));
  const all = el('button', { type: 'button', onclick: () => go([ALL]) }, 'All streams');
  const close = el('button', { type: 'button', onclick: () => go([]) }, 'Close');
  const facts = el('dl', { class: 'fleet-facts' });
  const found = table('Streams', COLUMNS);
  const place = el('div');
  const bar = el('div', { class: 'fleet-bar' }, q, sort, all, close);
  const element = el('div', { class: 'fleet-detail' }, bar, facts, found.element, place);

  /** @param {any} stream */
  function measure(stream) {
    stop();
    measured = hops(gateway, stream);
    measured.close.addEventListener('click', stop);
    place.replaceChildren(measured.element);
  }

  function stop() {
    measured?.end();
    measured = undefined;
    place.replaceChildren();
  }

  /** Show what is chosen. @param {import('./look.js').Look} look */
  function show(look) {
    const [worker, id] = parts.value;
    const isOpen = worker !== undefined;
    for (const each of [q, sort, close, facts, found.element]) each.hidden = !isOpen;
    all.hidden = worker === ALL;
    if (!isOpen) stop();
    say(found.heading, id ? `Streams of ${id}` : 'Streams of all workers');
    const connection = look.workers.find((each) => each.name === worker)?.connections.find((each) => each.id === id);
    keyed(facts, connection ? factsOf(connection) : id ? [['connection', 'not there now']] : [], (each) => each[0], fact);
  }

  return {
    element,
    show,
    end: stop,
    /** Ask for the streams, if they are shown. @param {AbortSignal} signal */
    async ask(signal) {
      const [worker, id] = parts.value;
      if (worker === undefined) return;
      const query = new URLSearchParams({ sort: sort.value, limit: String(ROWS_MOST) });
      if (q.value.trim()) query.set('q', q.value.trim());
      if (id) query.set('connection', id);
      try {
        const told = await gateway.json(`api/fleet/streams?${query}`, { signal });
        const rest = told.total - told.streams.length;
        const more = rest > 0 ? `and ${count(rest)} more: type a part of a name to find them` : `${counted(told.total, 'stream')} of ${count(told.carried)} carried`;
        const absent = told.absent?.length ? `; ${told.absent.join(', ')} did not answer: their streams are missing here` : '';
        found.show(rows(told.streams, measure), more + absent);
      } catch (problem) {
        if (!(problem instanceof Refused)) throw problem;
        found.show([], `The streams are not known now: ${problem.message}`);
      }
    },
  };
}

/** @param {import('./look.js').Connection} each @returns {[string, string][]} */
function factsOf(each) {
  /** @type {[string, string][]} */
  const facts = [
    ['status', each.status],
    ['exit', each.exit ?? 'none yet'],
    ['open for', span(each.age) || 'not open'],
    ['last message', each.last_message_age === null ? 'none yet' : `${span(each.last_message_age)} ago`],
    ['streams that flow', `${count(each.live)} of ${count(each.streams.length)}`],
    ['dials', count(each.dials)],
    ['replaced', counted(each.rotations, 'time')],
  ];
  if (each.last_error) facts.push(['lost last', each.last_error]);
  return facts;
}

/** @param {[string, string]} made */
function fact([name]) {
  const value = el('dd');
  return { element: el('div', {}, el('dt', {}, name), value), update: (/** @type {[string, string]} */ [, text]) => say(value, text) };
}
