// Prices and quantities as the exchange wrote them.  They are strings, and what is shown is cut out of them: no number that a
// computer rounds is ever printed.  Pure.

/** How many decimals a number needs: zeros at its end say nothing. @param {string} text such as `0.01630000` */
export function needed(text) {
  const point = text.indexOf('.');
  if (point < 0) return 0;
  let end = text.length;
  while (text[end - 1] === '0') end--;
  return Math.max(0, end - 1 - point);
}

/**
 * A number with at least so many decimals; more if it has more that are not zero.
 * @param {string} text
 * @param {number} decimals
 */
export function shown(text, decimals) {
  const all = Math.max(decimals, needed(text));
  const [whole, rest = ''] = text.split('.');
  return all ? `${whole}.${rest.slice(0, all).padEnd(all, '0')}` : whole;
}

/** The same with the thousands apart, for sums that are long. @param {string} text */
export function grouped(text) {
  const [whole, rest] = text.split('.');
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, '\u2009');
  return rest === undefined ? apart : `${apart}.${rest}`;
}

/** How many decimals the prices of one symbol take, by those that came so far. */
export class Decimals {
  most = 0;

  /** @param {string} text @returns {boolean} whether it needs more than all before */
  see(text) {
    const more = needed(text) > this.most;
    if (more) this.most = needed(text);
    return more;
  }
}
