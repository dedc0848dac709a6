// How long a stream's messages take from hop to hop, measured by listening to it: a native connection with stamps.

import { el } from '../shell/dom.js';
import { table } from './keyed.js';
import { Lags } from './lag.js';

const SHOWN_MS = 500; // between two looks at the numbers

/**
 * Listen until `end` is called.
 * @param {import('../shell/gateway.js').Gateway} gateway @param {{ market: string, stream: string }} stream
 */
export function hops(gateway, { market, stream }) {
  const lags = new Lags();
  const shown = table(`Lag of ${stream}, hop by hop`, ['hop', '>middle', '>99 of 100', '>longest']);
  const url = gateway.url(`${market}?stamps=1`);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(gateway.admitted(url.href));
  let state = 'Connecting';
  socket.onopen = () => {
    state = 'Nothing came yet';
    socket.send(JSON.stringify({ type: 'subscribe', rawStreams: [stream], snapshot: false }));
  };
  socket.onclose = () => {
    state = 'The connection was lost; choose the stream again';
  };
  socket.onmessage = ({ data }) => {
    const told = JSON.parse(data);
    if (told.stamps && !told.recovered) lags.add(told.stamps);
    else if (told.type === 'error') state = told.message;
  };
  const draw = () => {
    const ms = (/** @type {number | null} */ value) => (value === null ? 'not known' : `${value.toFixed(2)} ms`);
    const rows = lags.summary.map(({ name, p50, p99, most }) => ({ key: name, cells: [name, ms(p50), ms(p99), ms(most)] }));
    const open = socket.readyState === WebSocket.OPEN && lags.length;
    shown.show(rows, open ? `of the newest ${lags.length} messages` : state);
  };
  draw();
  const timer = setInterval(draw, SHOWN_MS);
  const close = el('button', { type: 'button' }, 'Stop measuring');
  shown.heading.append(' ', close);
  return {
    element: shown.element,
    close,
    end() {
      clearInterval(timer);
      socket.onclose = null;
      socket.close();
    },
  };
}
