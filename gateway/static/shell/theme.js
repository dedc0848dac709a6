// Light or dark: as the system prefers, until the user says otherwise.

import { Store } from './store.js';
import { say } from './dom.js';
import { browser } from './kept.js';

const KEY = 'fsnats.theme';
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' };

/** @typedef {'light' | 'dark'} Theme */

/**
 * Let a button choose.
 * @param {HTMLElement} button
 * @returns {Store<Theme>} what is shown
 */
export function theme(button) {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let chosen = /** @type {keyof typeof NEXT} */ (browser.getItem(KEY) ?? 'auto');
  if (!(chosen in NEXT)) chosen = 'auto';
  const shown = /** @type {Store<Theme>} */ (new Store('light'));

  function show() {
    if (chosen === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    say(button, `Theme: ${chosen}`);
    shown.set(chosen === 'auto' ? (dark.matches ? 'dark' : 'light') : chosen);
  }

  button.addEventListener('click', () => {
    chosen = /** @type {keyof typeof NEXT} */ (NEXT[chosen]);
    browser.setItem(KEY, chosen);
    show();
  });
  dark.addEventListener('change', show);
  show();
  return shown;
}
