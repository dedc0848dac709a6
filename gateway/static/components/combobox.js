// A field in which one types, and a list of what may be meant: the editable combobox of the ARIA Authoring Practices.
//
// Down, Up, Home, End go through the list, Enter chooses, Escape closes it; a screen reader hears what is marked.

import { el } from '../shell/dom.js';

let made = 0;

/**
 * @template Option
 * @typedef {object} Asked
 * @property {string} label what the field is for
 * @property {(typed: string) => Option[]} find the options for what was typed so far
 * @property {(option: Option) => Node[]} show what stands in an option's row
 * @property {(option: Option) => string} text what the field holds once it is chosen
 * @property {(option: Option) => void} chosen
 */

/**
 * @template Option
 * @param {Asked<Option>} asked
 * @returns {{ element: HTMLElement, input: HTMLInputElement, show: (text: string) => void }} `show` puts a text into the field
 */
export function combobox(asked) {
  const id = `combobox-${++made}`;
  const input = el('input', {
    id, class: 'combobox-field', type: 'text', role: 'combobox', autocomplete: 'off', spellcheck: false,
    'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': `${id}-list`, 'aria-label': asked.label,
  });
  const list = el('ul', { id: `${id}-list`, class: 'combobox-list', role: 'listbox', 'aria-label': asked.label, hidden: true });
  const told = el('div', { class: 'unseen', 'aria-live': 'polite' });
  const element = el('div', { class: 'combobox' }, input, list, told);

  /** @type {Option[]} */
  let options = [];
  let marked = -1;
  let settled = '';

  function open() {
    options = asked.find(input.value === settled ? '' : input.value);
    list.replaceChildren(
      ...options.map((option, index) => el('li', { id: `${id}-${index}`, role: 'option', 'aria-selected': 'false' }, ...asked.show(option))),
    );
    list.hidden = options.length === 0;
    input.setAttribute('aria-expanded', String(!list.hidden));
    told.textContent = options.length ? `${options.length} found` : 'nothing found';
    mark(input.value && input.value !== settled ? 0 : -1);
  }

  function close() {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    mark(-1);
  }

  /** @param {number} index */
  function mark(index) {
    list.children[marked]?.setAttribute('aria-selected', 'false');
    marked = options.length && index >= 0 ? Math.min(index, options.length - 1) : -1;
    const row = list.children[marked];
    if (row) {
      row.setAttribute('aria-selected', 'true');
      row.scrollIntoView({ block: 'nearest' });
      input.setAttribute('aria-activedescendant', row.id);
    } else {
      input.removeAttribute('aria-activedescendant');
    }
  }

  /** @param {Option | undefined} option */
  function choose(option) {
    if (option === undefined) return;
    show(asked.text(option));
    close();
    asked.chosen(option);
  }

  /** @param {string} text */
  function show(text) {
    settled = input.value = text;
  }

  const keys = /** @type {Record<string, () => void>} */ ({
    ArrowDown: () => (list.hidden ? open() : mark(marked + 1)),
    ArrowUp: () => mark(marked < 1 ? options.length - 1 : marked - 1),
    PageDown: () => mark(marked + 10),
    PageUp: () => mark(Math.max(0, marked - 10)),
    Enter: () => choose(options[Math.max(marked, 0)]),
    Escape: () => {
      if (list.hidden) input.value = settled;
      close();
    },
  });

  input.addEventListener('keydown', (event) => {
    const act = keys[event.key];
    if (!act || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (list.hidden && event.key !== 'ArrowDown' && event.key !== 'Escape') return;
    event.preventDefault();
    act();
  });
  input.addEventListener('input', open);
  input.addEventListener('click', () => list.hidden && open());
  input.addEventListener('focus', () => input.select());
  input.addEventListener('blur', () => {
    input.value = settled;
    close();
  });
  // Before the field loses the focus, which would close the list under the pointer.
  list.addEventListener('pointerdown', (event) => event.preventDefault());
  list.addEventListener('click', (event) => {
    const row = /** @type {HTMLElement} */ (event.target).closest('[role=option]');
    if (row) choose(options[[...list.children].indexOf(row)]);
  });
  return { element, input, show };
}
