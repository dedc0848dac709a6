// One symbol of one market: its candles, book and trades, beside a list of symbols to watch.

import { combobox } from '../components/combobox.js';
import { notices } from '../components/notices.js';
import { Decimals } from '../digits.js';
import { bookPanel } from '../market/book.js';
import { Candles, ofPayload, ofRow } from '../market/candles.js';
import { chartPanel } from '../market/chart.js';
import { coloursOf } from '../market/colours.js';
import { Freshness } from '../market/freshness.js';
import { lacks, matters, words } from '../market/gaps.js';
import { liquidationsPanel } from '../market/liquidations.js';
import { intervalsOf, isFutures, moved, placeOf } from '../market/place.js';
import { read } from '../market/reading.js';
import { summary } from '../market/summary.js';
import { TRADES, tradesPanel } from '../market/trades.js';
import { keep, keyOf, load, toggled } from '../market/watched.js';
import { watchlist } from '../market/watchlist.js';
import { Paint } from '../paint.js';
import { marketName } from '../shell/catalogue.js';
import { badge, el, say } from '../shell/dom.js';
import { Refused } from '../shell/gateway.js';
import { browser } from '../shell/kept.js';

const PAST = 499; // candles before what is live: what futures give for the least weight
const OLDER = 500; // candles fetched when the user goes back
const ANEW_MS = 5000; // between two fetches of the past for the sake of a gap

/** @type {import('../shell/views.js').Mount} */
export function mount(root, context) {
  const { catalogue, gateway, parts, go, announce } = context;
  const paint = new Paint();
  const candles = new Candles();
  const digits = { price: new Decimals(), quantity: new Decimals() };
  const said = notices();
  let place = placeOf([], catalogue.value);
  let watched = load(catalogue.value, browser);

  const markets = el('select', { 'aria-label': 'Market', onchange: () => go(moved(place, markets.value, catalogue.value)) });
  const search = combobox({
    label: 'Symbol',
    find: (typed) => catalogue.value.search(place.market, typed),
    show: (each) => [el('span', {}, each.symbol), each.status === 'TRADING' ? el('span', { class: 'quiet' }, each.contract.toLowerCase().replace(/_/g, ' ')) : badge(each.status, 'poor')],
    text: (each) => each.symbol,
    chosen: (each) => go([place.market, each.symbol, place.interval]),
  });
  const heading = el('h1', {});
  const watch = el('button', { type: 'button', onclick: () => mark(toggled(watched, place)) });
  const intervals = el('div', { class: 'intervals', role: 'group', 'aria-label': 'Interval' });
  const line = summary({ paint, digits });
  const chart = chartPanel({ paint, candles, digits, older: fetchOlder });
  const book = bookPanel({ paint, digits });
  const trades = tradesPanel({ paint, digits });
  const liquidations = liquidationsPanel({ paint, digits });
  const list = watchlist({
    paint, gateway, notice: said.add,
    chosen: (one) => go([one.market, one.symbol, place.interval]),
    removed: (one) => mark(toggled(watched, one)),
  });
  const unlisted = el('p', { class: 'waiting', role: 'alert', hidden: true });
  const shown = el('div', { class: 'market-panels' }, chart.element, book.element, trades.element, liquidations.element);
  root.append(
    el('div', { class: 'market-top' }, markets, search.element, heading, watch, intervals),
    line.element, said.element, unlisted,
    el('div', { class: 'market-body' }, list.element, shown),
  );

  const fresh = { line: new Freshness(), chart: new Freshness(), book: new Freshness(), trades: new Freshness(), liquidations: new Freshness() };
  /** @type {(() => void)[]} */
  let stops = []; // of what is read for this place
  let stopCandles = () => {};
  let began = 0; // when the past was asked for last
  let repairing = 0;
  let fetching = new AbortController();
  let older = { busy: true, done: false }; // nothing older is asked for before the past is there

  function arrive() {
    const next = placeOf(parts.value, catalogue.value);
    const path = [next.market, next.symbol, next.interval];
    if (!next.symbol) return; // nothing is listed yet
    if (parts.value.join('/') !== path.join('/')) {
      go(path, { replace: true });
      return;
    }
    const before = place;
    const first = stops.length === 0 && unlisted.hidden;
    place = next;
    label();
    if (first || keyOf(before) !== keyOf(next)) begin();
    else if (before.interval !== next.interval) beginCandles();
  }

  /** What the controls say. */
  function label() {
    const { market, symbol, interval } = place;
    const listed = catalogue.value.find(market, symbol);
    markets.replaceChildren(...catalogue.value.markets.map((each) => el('option', { value: each, selected: each === market }, marketName(each))));
    search.show(symbol);
    heading.replaceChildren(symbol, listed && listed.status !== 'TRADING' ? badge(listed.status, 'poor') : '');
    intervals.replaceChildren(...intervalsOf(market).map((each) =>
      el('button', { type: 'button', 'aria-pressed': String(each === interval), onclick: () => go([market, symbol, each]) }, each)));
    document.title = `${symbol} · ${marketName(market)} · fsnats`;
    say(unlisted, listed ? '' : notListed());
    unlisted.hidden = Boolean(listed);
    shown.hidden = line.element.hidden = !listed;
    mark(watched);
  }

  function notListed() {
    const like = catalogue.value.like(place.market, place.symbol);
    return `${place.symbol} is not listed on ${marketName(place.market)}.${like.length ? ` There is ${like.join(', ')}.` : ''}`;
  }

  /** @param {import('../market/watched.js').Watched[]} next */
  function mark(next) {
    if (next !== watched) keep(next, browser);
    watched = next;
    const here = watched.some((one) => keyOf(one) === keyOf(place));
    watch.setAttribute('aria-pressed', String(here));
    say(watch, here ? '★ Watched' : '☆ Watch');
    list.show(watched);
    list.mark(place);
  }

  /** Another symbol. */
  function begin() {
    stop();
    said.clear();
    digits.price.most = digits.quantity.most = 0;
    const { market, symbol } = place;
    const futures = isFutures(market);
    liquidations.element.hidden = !futures;
    line.restart(futures);
    for (const each of [book, trades, liquidations]) each.restart();
    for (const each of Object.values(fresh)) each.restart();
    beginCandles();
    if (!catalogue.value.find(market, symbol)) return;
    announce(`${symbol}, ${marketName(market)}`);
    const name = symbol.toLowerCase();
    /** @type {Record<string, [Freshness, (data: any) => void]>} */
    const takers = {
      [`${name}@depth20@100ms`]: [fresh.book, book.message],
      [`${name}@aggTrade`]: [fresh.trades, trades.message],
      [`${name}@ticker`]: [fresh.line, line.ticked],
      ...(futures && { [`${name}@markPrice@1s`]: [fresh.line, line.marked], [`${name}@forceOrder`]: [fresh.liquidations, liquidations.message] }),
    };
    stops.push(read(gateway, Object.keys(takers), { market, history: { [`${name}@aggTrade`]: TRADES } }, {
      message: ({ stream, data, history, received }) => {
        const taker = takers[stream];
        if (!taker) return;
        if (!history) taker[0].heard(Date.now(), received);
        taker[1](data);
        if (data.e === 'aggTrade') line.traded(data.p);
      },
      gap: (gap) => {
        const isShown = gap.stream.endsWith('@forceOrder') && gap.from === undefined && liquidations.missed();
        if (!isShown && matters(gap)) said.add(words(gap));
      },
      refused: (streams, why) => {
        for (const stream of streams) takers[stream]?.[0].refuse('refused');
        said.add(why);
      },
      open: (open) => Object.values(takers).forEach(([freshness]) => freshness.connected(open)),
    }));
    tick();
  }

  /** Another interval, or the same after something was lost that its past has. */
  function beginCandles(anew = false) {
    stopCandles();
    stopCandles = () => {};
    clearTimeout(repairing);
    began = Date.now();
    const { market, symbol, interval } = place;
    candles.restart();
    if (!anew) {
      fresh.chart.restart();
      candles.clear();
      chart.restart(`${symbol}, ${marketName(market)}, ${interval}`, interval === '1s');
    }
    fetching.abort();
    fetching = new AbortController();
    older = { busy: true, done: false };
    if (!catalogue.value.find(market, symbol)) return;
    const stream = `${symbol.toLowerCase()}@kline_${interval}`;
    stopCandles = read(gateway, [stream], { market, history: { [stream]: PAST } }, {
      message: ({ data, history, received }) => {
        if (!history) fresh.chart.heard(Date.now(), received);
        const candle = ofPayload(data);
        for (const price of [candle.open, candle.high, candle.low, candle.close]) digits.price.see(price);
        candles.put(candle);
        if (!history) line.traded(candle.close);
        paint.ask(chart.draw);
      },
      gap: (gap) => {
        said.add(words(gap));
        if (lacks(gap)) repair();
      },
      past: ({ error }) => {
        older.busy = false;
        if (error) said.add(`The past of ${stream} cannot be had: ${error}`);
      },
      refused: (_, why) => {
        fresh.chart.refuse('refused');
        said.add(why);
      },
      open: (open) => fresh.chart.connected(open),
    });
  }

  /** Fetch the past again, but not all the time. */
  function repair() {
    clearTimeout(repairing);
    repairing = setTimeout(() => beginCandles(true), Math.max(0, began + ANEW_MS - Date.now()));
  }

  /** The user went back to the oldest candle. */
  async function fetchOlder() {
    const first = candles.all[0];
    if (!first || older.busy || older.done) return;
    older.busy = true;
    const asking = older; // of this chart: another one may be shown when the answer comes
    const { market, symbol, interval } = place;
    const query = new URLSearchParams({ market, symbol, interval, end: String(first.time - 1), limit: String(OLDER) });
    try {
      const answer = await gateway.json(`api/v1/klines?${query}`, { signal: fetching.signal });
      if (asking !== older) return;
      older.done = !candles.prepend(answer.klines.map(ofRow));
      if (!answer.complete) said.add('Some of the older candles are missing.');
      paint.ask(chart.draw);
    } catch (failure) {
      if (asking !== older || /** @type {Error} */ (failure).name === 'AbortError') return;
      if (!(failure instanceof Refused)) throw failure;
      older.done = true;
      said.add(`Older candles cannot be had: ${failure.message}`);
    } finally {
      asking.busy = false;
    }
  }

  /** Once a second: ages, and the time until the next funding. */
  function tick() {
    const now = Date.now();
    chart.tell(fresh.chart.shown(now), fresh.chart.stale);
    book.tell(fresh.book.shown(now), fresh.book.stale);
    trades.tell(fresh.trades.shown(now), fresh.trades.stale);
    const none = fresh.liquidations.shown(now);
    liquidations.tell(none.kind === 'bad' ? none : { kind: 'good', text: 'listening' }, fresh.liquidations.stale);
    list.tick(now);
    line.element.classList.toggle('stale', fresh.line.stale);
    line.draw();
  }

  function stop() {
    for (const each of stops) each();
    stops = [];
    stopCandles();
    clearTimeout(repairing);
    fetching.abort();
  }

  const beat = setInterval(tick, 1000);
  const ends = [
    context.theme.subscribe(() => {
      const colour = coloursOf(root);
      chart.paintIn(colour);
      list.paintIn(colour);
    }),
    catalogue.subscribe(arrive),
    parts.subscribe(arrive),
  ];
  return () => {
    clearInterval(beat);
    for (const end of ends) end();
    stop();
    for (const each of [chart, book, trades, liquidations, line, list]) each.end();
  };
}
