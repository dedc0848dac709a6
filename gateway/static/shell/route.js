// Where the page is: `#/market/usdm/BTCUSDT/1m` is the view `market` and what it makes of the rest.  Pure.

/** @typedef {{ view: string, parts: string[] }} Route */

/**
 * Read a URL's hash.  Whoever typed nonsense gets the first view.
 * @param {string} hash
 * @param {string[]} views names of the views that there are
 * @returns {Route}
 */
export function read(hash, views) {
  const [view = '', ...parts] = hash.replace(/^#?\/?/, '').split('/').map(decoded);
  return views.includes(view) ? { view, parts: parts.filter(Boolean) } : { view: views[0], parts: [] };
}

/**
 * The hash of a place.
 * @param {string} view
 * @param {string[]} parts
 */
export function write(view, parts = []) {
  return `#/${[view, ...parts].map(encodeURIComponent).join('/')}`;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that stands for itself
  }
}
