// The access token: asked for when the gateway wants one, kept for this tab alone, and never put into the page's address.

import { tab } from './kept.js';

const KEY = 'fsnats.token';

export class Token {
  #dialog = /** @type {HTMLDialogElement} */ (document.getElementById('token-dialog'));
  #field = /** @type {HTMLInputElement} */ (document.getElementById('token-field'));
  #why = /** @type {HTMLElement} */ (document.getElementById('token-why'));
  #button = /** @type {HTMLElement} */ (document.getElementById('token'));

  /** @param {() => void} changed called when the user has given another one, or taken it away */
  constructor(changed) {
    this.#dialog.addEventListener('close', () => {
      const given = this.#field.value.trim();
      this.#field.value = '';
      this.#show();
      if (!given) return;
      tab.setItem(KEY, given);
      this.#show();
      changed();
    });
    this.#button.addEventListener('click', () => {
      if (!this.value) {
        this.ask('');
        return;
      }
      tab.removeItem(KEY);
      this.#show();
      changed();
    });
    this.#show();
  }

  get value() {
    return tab.getItem(KEY) ?? '';
  }

  /** The gateway wants one, or another one. @param {string} why its words */
  ask(why) {
    this.#why.textContent = why;
    this.#button.hidden = false;
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  #show() {
    this.#button.hidden = !this.value && this.#button.hidden;
    this.#button.textContent = this.value ? 'Forget the token' : 'Enter a token';
  }
}
