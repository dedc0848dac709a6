// What went wrong and does not show by itself: gaps, refusals.  The newest first; each stays until it is read.

import { el } from '../shell/dom.js';
import { clock } from '../words.js';

const MOST = 5;

export function notices() {
  const element = el('ul', { class: 'notices', role: 'log', 'aria-label': 'Notices', hidden: true });

  function count() {
    element.hidden = element.childElementCount === 0;
  }

  return {
    element,
    /** @param {string} text */
    add(text) {
      const dismiss = el('button', { type: 'button', 'aria-label': `Dismiss: ${text}`, onclick: () => { row.remove(); count(); } }, '×');
      const row = el('li', {}, el('span', {}, `${clock(Date.now())} ${text}`), dismiss);
      element.prepend(row);
      while (element.childElementCount > MOST) element.lastElementChild?.remove();
      count();
    },
    clear() {
      element.replaceChildren();
      count();
    },
  };
}
