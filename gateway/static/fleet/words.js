// Numbers for people.  Pure.

/** A duration in its two largest units, as `fsnats status` writes it: `2h05m`. @param {number | null | undefined} seconds */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return '';
  if (seconds < 10) return `${Math.max(seconds, 0).toFixed(1)}s`;
  const whole = Math.floor(seconds);
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86400)}d${two(Math.floor((whole % 86400) / 3600))}h`;
}

/** Bytes in the unit that reads best. @param {number | null | undefined} count */
export function size(count) {
  if (count === null || count === undefined) return '';
  for (const unit of ['B', 'K', 'M']) {
    if (count < 1024) return `${Math.floor(count)}${unit}`;
    count /= 1024;
  }
  return `${Math.floor(count)}G`;
}

/** @param {number | null | undefined} value */
export function count(value) {
  return value === null || value === undefined ? '' : Math.round(value).toLocaleString('en');
}

/** A number a second; `–` where it is not known. @param {number | null} value */
export function perSecond(value) {
  if (value === null) return '–';
  return `${value >= 10 || value === 0 ? count(value) : value.toFixed(1)}/s`;
}

/** @param {number} number @param {string} one @param {string} [many] */
export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** The first of a list, and how many are left. @template T @param {T[]} list @param {number} most @returns {[T[], number]} */
export function first(list, most) {
  return [list.slice(0, most), Math.max(list.length - most, 0)];
}
