// Lists and tables that are shown again and again: what stays keeps its element, and with it the focus and the reader's place.

import { el, say } from '../shell/dom.js';

/** @type {WeakMap<Element, Map<string, { element: HTMLElement, update: (item: any) => void }>>} */
const known = new WeakMap();

/**
 * Let an element's children be these.
 * @template Item
 * @param {Element} parent
 * @param {Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => { element: HTMLElement, update: (item: Item) => void }} make
 */
export function keyed(parent, items, keyOf, make) {
  const before = known.get(parent) ?? new Map();
  const now = new Map();
  /** @type {Element | null} */
  let place = parent.firstElementChild;
  for (const item of items) {
    let key = keyOf(item);
    while (now.has(key)) key += '+'; // two that are called the same
    const row = before.get(key) ?? make(item);
    before.delete(key);
    now.set(key, row);
    row.update(item);
    if (place && row.element === place) place = place.nextElementSibling;
    else parent.insertBefore(row.element, place);
  }
  for (const { element } of before.values()) element.remove();
  known.set(parent, now);
}

/** @typedef {string | { text: string, kind: 'good' | 'poor' | 'bad' | '' } | { text: string, act: () => void }} Cell `act` makes it a button */
/** @typedef {{ key: string, cells: Cell[], kind?: string }} Row */

/**
 * A table with a heading.  A column whose name begins with ">" holds numbers; a first cell is its row's heading.
 * @param {string} title @param {string[]} columns
 */
export function table(title, columns) {
  const body = el('tbody');
  const more = el('p', { class: 'hint', hidden: true });
  const numbers = columns.map((each) => (each.startsWith('>') ? 'number' : undefined));
  const heads = columns.map((each, index) => el('th', { scope: 'col', class: numbers[index] }, each.replace('>', '')));
  const heading = el('h2', {}, title);
  const element = el('section', { class: 'panel fleet-table', 'aria-label': title },
    heading,
    el('div', { class: 'fleet-scroll', tabIndex: 0, role: 'region', 'aria-label': `${title}, table` },
      el('table', {}, el('caption', { class: 'unseen' }, title), el('thead', {}, el('tr', {}, ...heads)), body)),
    more,
  );

  /** @param {Row} first */
  function make(first) {
    const cells = first.cells.map((_, index) =>
      index === 0 ? el('th', { scope: 'row' }) : el('td', { class: numbers[index] }));
    const row = el('tr', {}, ...cells);
    /** @param {Row} now */
    const update = (now) => {
      row.className = now.kind ?? '';
      now.cells.forEach((cell, index) => show(cells[index], cell));
    };
    return { element: row, update };
  }

  return {
    element,
    heading,
    /** @param {Row[]} rows @param {string} [rest] what is not shown */
    show(rows, rest = '') {
      element.hidden = rows.length === 0 && !rest;
      keyed(body, rows, (row) => row.key, make);
      more.hidden = !rest;
      say(more, rest);
    },
  };
}

/** @type {WeakMap<Element, () => void>} */
const acts = new WeakMap();

/** @param {Element} element @param {Cell} cell */
function show(element, cell) {
  if (typeof cell === 'string') {
    if (element.firstElementChild) element.textContent = cell; // it was a mark before
    else say(element, cell);
    return;
  }
  const tag = 'act' in cell ? 'button' : 'span';
  let mark = element.firstElementChild;
  if (mark?.localName !== tag) {
    mark = tag === 'span' ? el('span') : el('button', { type: 'button', class: 'fleet-link', onclick: () => acts.get(element)?.() });
    element.replaceChildren(mark);
  }
  if ('act' in cell) acts.set(element, cell.act);
  else mark.className = `badge ${cell.kind}`.trim();
  say(mark, cell.text);
}
