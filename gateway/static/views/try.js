// Builds a subscription, shows what to send, type or run for it in each dialect, and what it brings.

import { Paint } from '../paint.js';
import { marketName } from '../shell/catalogue.js';
import { el, say } from '../shell/dom.js';
import { run } from '../try/live.js';
import { Output } from '../try/output.js';
import { choiceOf, partsOf, symbolsOf } from '../try/place.js';
import { DIALECTS, fieldsOf, HISTORY_MOST, recipe } from '../try/recipes.js';
import { CONTRACTS, intervalsOf, LEVELS, speedsOf, typesOf } from '../try/streams.js';

const COPIED_MS = 1500; // for which the button says that it did
const STATES = { connecting: 'Connecting', open: 'Connected', waiting: 'Connection lost, trying again', done: 'Ended' };

/** @type {import('../shell/views.js').Mount} */
export function mount(root, context) {
  const { gateway, catalogue, parts, go, announce } = context;
  const output = new Output();
  const paint = new Paint();
  let choice = choiceOf(parts.value);
  let shown = ''; // the recipe whose texts stand there
  let live = /** @type {any} */ (undefined);
  let end = /** @type {(() => void) | undefined} */ (undefined);

  // What is chosen.
  const dialect = select('Dialect', Object.entries(DIALECTS));
  const market = select('Market', []);
  const symbols = el('input', { type: 'text', spellcheck: false, autocomplete: 'off', 'aria-describedby': 'try-symbols-hint' });
  const types = el('div', { class: 'try-types' });
  const fields = {
    interval: select('Interval', []),
    level: select('Levels of the book', []),
    updateSpeed: select('Speed', []),
    contractType: select('Contract', CONTRACTS.map((each) => [each, each])),
    history: number('Past events first', { min: 0, max: HISTORY_MOST, step: 1 }),
    maxRate: number('At most a second (0: all)', { min: 0, max: 100, step: 'any' }),
    snapshot: check('Newest value first'),
    closedOnly: check('Closed candles only'),
    rawNames: check("Streams by Binance's names"),
    seq: check('Places (seq)'),
    normalised: check('Normalised'),
    decimal: select('Numbers', [['number', 'as numbers'], ['string', 'as strings']]),
  };
  const form = el('form', { class: 'panel try-form', 'aria-label': 'What to subscribe', onchange: changed, onsubmit: begin },
    el('div', { class: 'try-row' },
      dialect.element,
      market.element,
      el('label', { class: 'try-symbols' }, 'Symbols', symbols),
    ),
    el('p', { id: 'try-symbols-hint', class: 'hint' }, 'Separated by commas or spaces; ALL means every symbol, also those listed later.'),
    el('fieldset', {}, el('legend', {}, 'Streams'), types),
    el('fieldset', {}, el('legend', {}, 'Options'), el('div', { class: 'try-row' }, ...Object.values(fields).map((each) => each.element))),
  );
  const notes = el('ul', { class: 'try-notes', 'aria-label': 'What to know about this choice' });
  const texts = el('div', { class: 'try-texts' });

  // What it brings.
  const start = el('button', { type: 'button', class: 'primary', onclick: begin }, 'Run');
  const stop = el('button', { type: 'button', disabled: true, onclick: () => halt() }, 'Stop');
  const pause = el('button', { type: 'button', 'aria-pressed': 'false', onclick: hold }, 'Pause');
  const clear = el('button', { type: 'button', onclick: empty }, 'Clear');
  const state = el('p', { class: 'try-state', role: 'status' }, 'Not running');
  const tally = el('span', { class: 'quiet number' });
  const lines = el('div', { class: 'try-lines', role: 'log', 'aria-live': 'off', tabIndex: 0, 'aria-label': 'Live output' });

  root.append(
    el('h1', { class: 'unseen' }, 'Try it'),
    form,
    el('div', { class: 'try-sides' },
      el('section', { class: 'panel', 'aria-labelledby': 'try-how' }, el('h2', { id: 'try-how' }, 'How'), notes, texts),
      el('section', { class: 'panel', 'aria-labelledby': 'try-live' },
        el('h2', { id: 'try-live' }, 'Live output'),
        el('div', { class: 'try-row try-bar' }, start, stop, pause, clear, state, tally),
        lines,
      ),
    ),
  );

  /** Put a choice into the form. */
  function fill() {
    dialect.input.value = choice.dialect;
    options(market.input, catalogue.value.markets.map((each) => [each, marketName(each)]), choice.market);
    if (document.activeElement !== symbols) symbols.value = choice.symbols.join(', ');
    types.replaceChildren(...typesOf(choice.market).map((each) => {
      const box = el('input', { type: 'checkbox', name: 'type', value: each, checked: choice.types.includes(each) });
      return el('label', {}, box, each);
    }));
    const candle = choice.types.includes('continuousKline') && !choice.types.includes('kline') ? 'continuousKline' : 'kline';
    options(fields.interval.input, intervalsOf(choice.market, candle).map((each) => [each, each]), choice.interval);
    options(fields.level.input, LEVELS.map((each) => [each, each || 'all changes']), choice.level);
    const speeds = choice.types.flatMap((each) => Object.keys(speedsOf(choice.market, each)));
    options(fields.updateSpeed.input, ['', ...new Set(speeds)].map((each) => [each, each || 'as usual']), choice.updateSpeed);
    const useful = fieldsOf(choice);
    for (const [name, { element, input }] of Object.entries(fields)) {
      element.hidden = !useful.has(name);
      const value = choice[/** @type {keyof typeof choice} */ (name)];
      if (input.type === 'checkbox') /** @type {HTMLInputElement} */ (input).checked = Boolean(value);
      else if (document.activeElement !== input) input.value = String(value);
    }
  }

  function changed() {
    const next = { ...choice, dialect: dialect.input.value, market: market.input.value, symbols: symbolsOf(symbols.value) };
    const boxes = /** @type {HTMLInputElement[]} */ ([...types.querySelectorAll('input')]);
    next.types = boxes.filter((each) => each.checked).map((each) => each.value);
    if (next.market !== choice.market) {
      const there = typesOf(next.market);
      next.types = next.types.filter((each) => there.includes(each));
      next.updateSpeed = '';
    }
    for (const [name, { input }] of Object.entries(fields)) {
      const value = input.type === 'checkbox' ? /** @type {HTMLInputElement} */ (input).checked : input.type === 'number' ? Number(input.value) : input.value;
      Object.assign(next, { [name]: value });
    }
    go(partsOf(next), { replace: true });
  }

  /** Show what is in the URL. */
  function arrive() {
    choice = choiceOf(parts.value);
    const { markets } = catalogue.value;
    if (!parts.value.length && markets.length && !markets.includes(choice.market)) choice.market = markets[0];
    choice.token = gateway.guarded;
    const focused = /** @type {HTMLInputElement | null} */ (document.activeElement);
    const again = focused?.name === 'type' ? focused.value : '';
    fill();
    if (again) /** @type {HTMLElement | null} */ (types.querySelector(`input[value="${again}"]`))?.focus();
    show();
  }

  function show() {
    const made = recipe(choice, gateway.url('').href);
    const strange = made.problem ? [] : unlisted();
    const said = made.problem ? [made.problem] : [...strange, ...made.notes];
    notes.replaceChildren(...said.map((each) => el('li', {}, each)));
    notes.hidden = !said.length;
    const recipeNow = JSON.stringify(made);
    if (recipeNow === shown) return;
    shown = recipeNow;
    texts.replaceChildren(...(made.texts ?? []).map(textOf));
    live = made.live;
    start.disabled = !live;
    if (!live) halt();
    else if (end) begin();
  }

  function unlisted() {
    const { value } = catalogue;
    const pairs = choice.types.every((each) => each === 'continuousKline');
    const wrong = choice.symbols.filter((each) => each !== 'ALL' && !pairs && !value.find(choice.market, each));
    return wrong.slice(0, 5).map((each) => {
      const near = value.search(choice.market, each.slice(0, 3), 1)[0]?.symbol;
      return `${each} is not listed on ${choice.market}${near ? `; ${near} is` : ''}.`;
    });
  }

  /** @param {{ title: string, text: string }} made */
  function textOf({ title, text }) {
    const code = el('code', {}, text);
    const copy = el('button', { type: 'button', 'aria-label': `Copy: ${title}`, onclick: async () => {
      await toClipboard(text, code);
      say(copy, 'Copied');
      announce(`${title}: copied`);
      setTimeout(() => say(copy, 'Copy'), COPIED_MS);
    } }, 'Copy');
    return el('div', {},
      el('div', { class: 'try-title' }, el('h3', {}, title), copy),
      el('pre', { tabIndex: 0, role: 'region', 'aria-label': title }, code),
    );
  }

  /** @param {Event} [event] */
  function begin(event) {
    event?.preventDefault();
    if (!live) return;
    end?.();
    empty();
    stop.disabled = false;
    end = run(live, gateway, {
      line(text, kind) {
        output.add(text, kind);
        paint.ask(draw);
      },
      state(now) {
        say(state, STATES[now]);
        if (now === 'done') stop.disabled = true;
      },
    });
  }

  function halt() {
    end?.();
    end = undefined;
    stop.disabled = true;
    say(state, 'Not running');
  }

  function hold() {
    output.paused = !output.paused;
    pause.setAttribute('aria-pressed', String(output.paused));
    paint.ask(draw);
  }

  function empty() {
    output.clear();
    pause.setAttribute('aria-pressed', 'false');
    lines.replaceChildren();
    draw();
  }

  function draw() {
    const isAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    for (const { text, kind } of output.take()) lines.append(el('div', { class: `try-line ${kind}` }, text));
    while (lines.childElementCount > output.most) lines.firstElementChild?.remove();
    if (isAtEnd) lines.scrollTop = lines.scrollHeight;
    const held = output.paused ? ', held still' : '';
    const passed = output.passed ? `, ${output.passed.toLocaleString('en')} lines passed unseen` : '';
    say(tally, output.count ? `${output.count.toLocaleString('en')} messages${passed}${held}` : '');
  }

  const ends = [parts.subscribe(arrive), catalogue.subscribe(arrive)];
  return () => {
    ends.forEach((each) => each());
    paint.forget(draw);
    halt();
  };
}

/** @param {string} label @param {[string, string][]} choices */
function select(label, choices) {
  const input = el('select');
  options(input, choices);
  return { input, element: el('label', {}, label, input) };
}

/** @param {HTMLSelectElement} input @param {[string, string][]} choices @param {string} [chosen] */
function options(input, choices, chosen) {
  const all = chosen === undefined || choices.some(([value]) => value === chosen) ? choices : [...choices, [chosen, chosen]];
  if (all.map(([value]) => value).join() !== [...input.options].map((each) => each.value).join()) {
    input.replaceChildren(...all.map(([value, text]) => el('option', { value }, text)));
  }
  if (chosen !== undefined) input.value = chosen;
}

/** @param {string} label @param {Record<string, unknown>} more */
function number(label, more) {
  const input = el('input', { type: 'number', ...more });
  return { input, element: el('label', {}, label, input) };
}

/** @param {string} label */
function check(label) {
  const input = el('input', { type: 'checkbox' });
  return { input, element: el('label', { class: 'try-check' }, input, label) };
}

/** @param {string} text @param {Element} shown where it stands, for browsers that give no clipboard: without TLS, or a right to it */
async function toClipboard(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection()?.selectAllChildren(shown);
    document.execCommand('copy');
  }
}
