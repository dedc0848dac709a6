// One market, one symbol.

import { combobox } from '../components/combobox.js';
import { marketName } from '../shell/catalogue.js';
import { badge, el } from '../shell/dom.js';

/** @type {import('../shell/views.js').Mount} */
export function mount(root, context) {
  const { catalogue, parts, go } = context;
  let market = '';
  const markets = el('select', { 'aria-label': 'Market', onchange: () => go([markets.value]) });
  const search = combobox({
    label: 'Symbol',
    find: (typed) => catalogue.value.search(market, typed),
    show: (each) => [el('span', {}, each.symbol), each.status === 'TRADING' ? badge(each.contract.toLowerCase()) : badge(each.status, 'poor')],
    text: (each) => each.symbol,
    chosen: (each) => go([market, each.symbol]),
  });
  root.append(el('h1', { class: 'unseen' }, 'Market'), el('div', { class: 'market-top' }, markets, search.element));

  function arrive() {
    const known = catalogue.value.markets;
    market = known.includes(parts.value[0]) ? parts.value[0] : known[0];
    markets.replaceChildren(...known.map((each) => el('option', { value: each, selected: each === market }, marketName(each))));
    search.show(parts.value[1] ?? '');
  }
  const ends = [catalogue.subscribe(arrive), parts.subscribe(arrive)];
  return () => ends.forEach((end) => end());
}
