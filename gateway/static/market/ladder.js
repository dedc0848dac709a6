// The rows of a depth ladder.  Pure.

/** @typedef {{ price: string, quantity: string, part: number }} Level `part`: how much of all that is shown lies up to here, 0 to 1 */
/** @typedef {{ bids: Level[], asks: Level[] }} Ladder the best first */

/**
 * @param {any} payload of a partial depth stream, spot's or futures'
 * @param {number} levels
 * @returns {Ladder}
 */
export function ladder(payload, levels) {
  const bids = (payload.bids ?? payload.b).slice(0, levels);
  const asks = (payload.asks ?? payload.a).slice(0, levels);
  const most = Math.max(sum(bids), sum(asks)) || 1;
  return { bids: side(bids, most), asks: side(asks, most) };
}

/** Lengths of bars alone: these sums are not shown. @param {[string, string][]} rows */
function sum(rows) {
  return rows.reduce((total, row) => total + Number(row[1]), 0);
}

/** @param {[string, string][]} rows @param {number} most @returns {Level[]} */
function side(rows, most) {
  let total = 0;
  return rows.map(([price, quantity]) => ({ price, quantity, part: (total += Number(quantity)) / most }));
}
