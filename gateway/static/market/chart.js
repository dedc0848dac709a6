// Candles and their volume, drawn by TradingView's Lightweight Charts; what is written beside them are the exchange's digits.

import { CandlestickSeries, ColorType, HistogramSeries, createChart } from '../vendor/lightweight-charts.standalone.production.mjs';
import { grid, panel } from '../components/panel.js';
import { grouped, shown } from '../digits.js';
import { el, say } from '../shell/dom.js';
import { moment } from '../words.js';

const NEAR = 30; // candles left of what is seen, below which older ones are fetched
const TABLE_ROWS = 20;
const STEP = 5; // candles that an arrow key moves
const PAGE = 50; // and PageUp, PageDown
const FIRST = 'fsnats.first-candles'; // in the browser's performance entries
const RIGHT = 4; // candles of room right of the newest one

/**
 * @param {object} asked
 * @param {import('../paint.js').Paint} asked.paint
 * @param {import('./candles.js').Candles} asked.candles
 * @param {{ price: import('../digits.js').Decimals }} asked.digits
 * @param {() => void} asked.older called when the user comes near the oldest candle
 */
export function chartPanel({ paint, candles, digits, older }) {
  const legend = el('p', { class: 'legend' });
  const box = el('div', { class: 'chart-box', role: 'application', tabIndex: 0 });
  const table = grid('The newest candles', ['Opened (UTC)', 'Open', 'High', 'Low', 'Close', 'Volume'], TABLE_ROWS);
  const details = el('details', { ontoggle: () => paint.ask(draw) }, el('summary', {}, 'The newest candles as a table'), el('div', { class: 'scroll' }, table.table));
  const credit = el('a', { href: 'https://www.tradingview.com/', target: '_blank', rel: 'noopener noreferrer' }, 'TradingView Lightweight Charts™');
  const { element, tell } = panel('Candles', 'chart', legend, box, el('div', { class: 'chart-foot' }, details, el('span', { class: 'quiet' }, 'Charts: ', credit)));

  const chart = createChart(box, {
    autoSize: true,
    layout: { attributionLogo: false, fontFamily: 'system-ui, sans-serif' }, // the logo wants a style in the page; the link below says it
    localization: { locale: 'en-GB', timeFormatter: (/** @type {number} */ time) => `${moment(time * 1000)} UTC` },
    timeScale: { timeVisible: true, rightOffset: RIGHT },
    crosshair: { mode: 0 },
  });
  const bars = chart.addSeries(CandlestickSeries, {});
  const volumes = chart.addSeries(HistogramSeries, { priceScaleId: '', priceFormat: { type: 'volume' }, lastValueVisible: false, priceLineVisible: false });
  volumes.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });

  let drawn = 0;
  let seen = false; // anything was drawn yet
  let decimals = -1;
  let hovered = 0; // the opening of the candle under the pointer
  /** @type {number | undefined} */
  let wanted; // how far from the newest candle, as long as the chart is not there yet
  let moving = false; // it was not even told
  let upSoft = '';
  let downSoft = '';

  chart.subscribeCrosshairMove(({ time }) => {
    hovered = Number(time ?? 0) * 1000;
    paint.ask(draw);
  });
  chart.timeScale().subscribeVisibleLogicalRangeChange(() => {
    if (!moving) wanted = undefined;
    reach();
  });
  box.addEventListener('keydown', (event) => {
    const scale = chart.timeScale();
    const spacing = scale.options().barSpacing;
    const keys = /** @type {Record<string, () => void>} */ ({
      ArrowLeft: () => move(-STEP),
      ArrowRight: () => move(STEP),
      PageUp: () => move(-PAGE),
      PageDown: () => move(PAGE),
      End: () => scale.scrollToPosition(RIGHT, false),
      '+': () => scale.applyOptions({ barSpacing: spacing * 1.25 }),
      '-': () => scale.applyOptions({ barSpacing: spacing / 1.25 }),
    });
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });

  const seconds = (/** @type {number} */ ms) => /** @type {import('../vendor/lightweight-charts.standalone.production.mjs').UTCTimestamp} */ (ms / 1000);
  /** @param {import('./candles.js').Candle} candle */
  const bar = ({ time, open, high, low, close }) => ({ time: seconds(time), open: Number(open), high: Number(high), low: Number(low), close: Number(close) });
  /** @param {import('./candles.js').Candle} candle */
  const volume = (candle) => ({ time: seconds(candle.time), value: Number(candle.volume), color: Number(candle.close) < Number(candle.open) ? downSoft : upSoft });

  /** Ask for older candles where the user sees the oldest. */
  function reach() {
    const range = chart.timeScale().getVisibleLogicalRange();
    if (range && drawn && range.from < NEAR) older();
  }

  /** The chart moves some frames later: until then keys add up. @param {number} bars */
  function move(bars) {
    const next = (wanted ?? chart.timeScale().scrollPosition()) + bars;
    wanted = Math.min(Math.max(next, -candles.all.length), RIGHT);
    moving = true;
    paint.ask(scroll);
  }

  function scroll() {
    if (wanted !== undefined) chart.timeScale().scrollToPosition(wanted, false);
    moving = false;
  }

  function draw() {
    if (decimals !== digits.price.most) {
      decimals = digits.price.most;
      bars.applyOptions({ priceFormat: { type: 'price', precision: decimals, minMove: 10 ** -decimals } });
    }
    const changed = candles.take(drawn);
    if (changed.all) {
      bars.setData(candles.all.map(bar));
      volumes.setData(candles.all.map(volume));
    } else {
      for (const candle of changed.from ?? []) {
        bars.update(bar(candle));
        volumes.update(volume(candle));
      }
    }
    drawn = candles.all.length;
    if (drawn && !seen) performance.mark(FIRST);
    seen ||= drawn > 0;
    write();
    reach();
  }

  function write() {
    const candle = candles.at(hovered) ?? candles.last;
    const price = (/** @type {string} */ text) => shown(text, digits.price.most);
    say(legend, candle ? `${moment(candle.time)} UTC  O ${price(candle.open)}  H ${price(candle.high)}  L ${price(candle.low)}  C ${price(candle.close)}  V ${grouped(shown(candle.volume, 0))}` : 'No candles yet');
    legend.classList.toggle('down', candle !== undefined && Number(candle.close) < Number(candle.open));
    element.dataset.candles = String(candles.all.length);
    if (!details.open) return;
    const newest = candles.all.slice(-TABLE_ROWS).reverse();
    table.rows.forEach((_, index) => {
      const each = newest[index];
      table.set(index, each ? [moment(each.time), price(each.open), price(each.high), price(each.low), price(each.close), shown(each.volume, 0)] : []);
    });
  }

  return {
    element,
    tell,
    draw,
    /** Another symbol or interval is shown. @param {string} name @param {boolean} short whether candles are shorter than a minute */
    restart(name, short) {
      drawn = 0;
      hovered = 0;
      bars.setData([]);
      volumes.setData([]);
      box.setAttribute('aria-label', `Candlestick chart of ${name}. Arrow keys and Page Up, Page Down move, plus and minus zoom, End goes to now.`);
      chart.timeScale().applyOptions({ secondsVisible: short });
      chart.timeScale().scrollToPosition(RIGHT, false);
      paint.ask(draw);
    },
    /** @param {(name: string) => string} colour what a custom property is now */
    paintIn(colour) {
      upSoft = colour('--up-soft');
      downSoft = colour('--down-soft');
      chart.applyOptions({
        layout: { background: { type: ColorType.Solid, color: colour('--panel') }, textColor: colour('--quiet') },
        grid: { vertLines: { color: colour('--line') }, horzLines: { color: colour('--line') } },
        rightPriceScale: { borderColor: colour('--line') },
        timeScale: { borderColor: colour('--line') },
      });
      const [up, down] = [colour('--up'), colour('--down')];
      bars.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false });
      volumes.setData(candles.all.map(volume));
    },
    end() {
      paint.forget(draw);
      paint.forget(scroll);
      chart.remove();
    },
  };
}
