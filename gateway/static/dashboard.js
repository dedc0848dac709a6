// The dashboard's shell: what is common to all views, and which of them is shown.

import { Catalogue } from './shell/catalogue.js';
import { el, say } from './shell/dom.js';
import { Gateway, Refused } from './shell/gateway.js';
import { read, write } from './shell/route.js';
import { Store } from './shell/store.js';
import { theme } from './shell/theme.js';
import { Token } from './shell/token.js';
import { VIEWS } from './shell/views.js';

const CATALOGUE_MS = 60_000; // between two looks at what is listed
const AGAIN_MS = 2000; // after a look that failed
const BANNERS = {
  simulated: 'SIMULATED: none of this comes from Binance. Prices, trades and symbols are made up.',
  replayed: 'SIMULATED: a recording is being played. None of this is happening now.',
};

const names = VIEWS.map((view) => view.name);
const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const banner = /** @type {HTMLElement} */ (document.getElementById('banner'));
const badge = /** @type {HTMLElement} */ (document.getElementById('health'));
const announcer = /** @type {HTMLElement} */ (document.getElementById('announcer'));

const token = new Token(() => begin());
const gateway = new Gateway(new URL('..', import.meta.url), () => token.value, (why) => token.ask(why));
const catalogue = new Store(new Catalogue([]));
const parts = new Store(/** @type {string[]} */ ([]));
const shown = theme(/** @type {HTMLElement} */ (document.getElementById('theme')));

/** @type {{ view: string, end: () => void } | undefined} */
let mounted;
let beginnings = 0; // a view that was asked for before the newest beginning is not shown any more
let timer = 0;

/** @type {import('./shell/views.js').Context} */
const context = {
  gateway,
  catalogue,
  parts,
  theme: shown,
  go(next, { replace = false, view = mounted?.view ?? names[0] } = {}) {
    const hash = write(view, next);
    if (hash === location.hash) return;
    history[replace ? 'replaceState' : 'pushState'](null, '', hash);
    arrive();
  },
  announce: (text) => say(announcer, text),
};

/** Show the view that the URL names, as soon as it is known what is listed: then it is known, too, whether it is made up. */
async function arrive() {
  const route = read(location.hash, names);
  for (const link of document.querySelectorAll('#views a')) {
    if (link.getAttribute('href') === write(route.view)) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (mounted?.view === route.view) {
    parts.set(route.parts);
    return;
  }
  const beginning = ++beginnings;
  leave();
  if (catalogue.value.markets.length === 0) return;
  let view;
  try {
    view = await load(route.view);
  } catch {
    wait('This part of the page cannot be loaded. Is the gateway there? Then load the page anew.');
    return;
  }
  if (beginning !== beginnings) return;
  parts.set(read(location.hash, names).parts);
  document.title = `${VIEWS.find(({ name }) => name === route.view)?.title} · fsnats`;
  const root = el('div', { class: `view view-${route.view}` });
  main.replaceChildren(root);
  mounted = { view: route.view, end: () => {} }; // a view may go elsewhere while it is being mounted
  mounted.end = view.mount(root, context);
}

/** @param {string} view @returns {Promise<{ mount: import('./shell/views.js').Mount }>} */
function load(view) {
  return import(`./views/${view}.js`);
}

function leave() {
  mounted?.end();
  mounted = undefined;
}

/** Say what is waited for. @param {string} text */
function wait(text) {
  main.replaceChildren(el('p', { class: 'waiting' }, text));
}

/** Look at what is listed, until it is known, and again from time to time; then the page can be shown. */
async function look() {
  clearTimeout(timer);
  try {
    const { markets } = await gateway.json('api/v1/symbols');
    catalogue.set(new Catalogue(markets));
    gateway.simulated.set(catalogue.value.nature !== '');
    tell();
    timer = setTimeout(look, CATALOGUE_MS);
    if (markets.length === 0) wait('There is no market here that may be read.');
    else if (!mounted) await arrive();
  } catch (failure) {
    if (!(failure instanceof Refused)) throw failure;
    if (!mounted) wait(`Waiting for the gateway: ${failure.message}.`);
    if (failure.status !== 401) timer = setTimeout(look, AGAIN_MS);
  }
}

/** Begin anew, as somebody else perhaps. */
function begin() {
  beginnings++;
  leave();
  catalogue.set(new Catalogue([]));
  load(read(location.hash, names).view).catch(() => {}); // on its way already; `arrive` says when it does not come
  look();
}

function tell() {
  const nature = catalogue.value.nature || (gateway.simulated.value ? 'simulated' : '');
  banner.hidden = !nature;
  say(banner, nature ? BANNERS[nature] : '');
}

document.getElementById('views')?.append(...VIEWS.map(({ name, title }) => el('a', { href: write(name) }, title)));
addEventListener('hashchange', arrive);
addEventListener('popstate', arrive);
gateway.simulated.subscribe(tell);
gateway.health.subscribe(({ kind, text }) => {
  badge.className = `badge ${kind}`;
  say(badge, text);
});
begin();
