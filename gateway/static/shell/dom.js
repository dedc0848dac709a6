// Elements made of values.  Text is always text: nothing that a stream or a user says becomes markup.

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [properties] `class`, `data-…`, `aria-…`, `role` and `for` are attributes, `on…` listeners
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (/^(class|role|for|scope|colspan)$|-/.test(name)) element.setAttribute(name, String(value));
    else /** @type {any} */ (element)[name] = value;
  }
  for (const child of children) if (child !== null && child !== undefined) element.append(child);
  return element;
}

/** Set an element's text, if it is another one: a screen reader, and the browser's layout, hear of changes alone.
 * @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A short word about how something is, never by its colour alone.
 * @param {string} text @param {'good' | 'poor' | 'bad' | ''} [kind] */
export function badge(text, kind = '') {
  return el('span', { class: `badge ${kind}`.trim() }, text);
}
