// The views that the dashboard has, in the order of its navigation.  Each is a module `views/<name>.js` that exports
// `mount(root, context)`, which shows the view in the element and returns a function that ends it.

/** @typedef {{ name: string, title: string }} View */

/** @type {View[]} */
export const VIEWS = [
  { name: 'market', title: 'Market' },
  { name: 'fleet', title: 'Fleet' },
  { name: 'try', title: 'Try it' },
];

/**
 * What a view is given.
 * @typedef {object} Context
 * @property {import('./gateway.js').Gateway} gateway the gateway that served this page: streams and requests
 * @property {import('./store.js').Store<import('./catalogue.js').Catalogue>} catalogue what its markets list
 * @property {import('./store.js').Store<string[]>} parts what stands behind the view's name in the URL; changes as the user goes back and forth
 * @property {(parts: string[], options?: { replace?: boolean, view?: string }) => void} go change the URL; `replace` leaves no step to go back to
 * @property {import('./store.js').Store<'light' | 'dark'>} theme what is shown now, for those who draw on a canvas
 * @property {(text: string) => void} announce tell those who do not see the page
 */

/** @typedef {(root: HTMLElement, context: Context) => () => void} Mount */
