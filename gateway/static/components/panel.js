// A part of a view with a title, and a badge that says how fresh it is.

import { el, say } from '../shell/dom.js';

/**
 * @param {string} title
 * @param {string} kind its class
 * @param {...Node} children
 */
export function panel(title, kind, ...children) {
  const freshness = el('span', { class: 'badge freshness' });
  const element = el('section', { class: `panel ${kind}`, 'aria-label': title }, el('h2', {}, title, freshness), ...children);
  return {
    element,
    /** @param {{ kind: string, text: string }} shown @param {boolean} stale whether what is shown may not hold any more */
    tell(shown, stale) {
      const name = `badge freshness ${shown.kind}`.trim();
      if (freshness.className !== name) freshness.className = name;
      say(freshness, shown.text);
      element.classList.toggle('stale', stale);
    },
  };
}

/**
 * A table whose rows are there from the beginning and get new texts.
 * @param {string} caption for those who do not see what stands around it
 * @param {string[]} heads @param {number} rows
 * @returns {{ table: HTMLTableElement, rows: HTMLTableRowElement[], set: (row: number, texts: string[], kind?: string) => void }}
 */
export function grid(caption, heads, rows) {
  const body = el('tbody', {});
  const all = Array.from({ length: rows }, () => el('tr', { hidden: true }, ...heads.map(() => el('td', { class: 'number' }))));
  body.append(...all);
  const table = el(
    'table', { class: 'grid' },
    el('caption', { class: 'unseen' }, caption),
    el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col', class: 'number' }, head)))),
    body,
  );
  return {
    table,
    rows: all,
    set(index, texts, kind = '') {
      const row = all[index];
      row.hidden = texts.length === 0;
      if (row.className !== kind) row.className = kind;
      texts.forEach((text, column) => say(row.children[column], text));
    },
  };
}
