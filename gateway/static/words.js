// Numbers and times in words.  Pure.

/** A fraction as a percentage, by its digits: `-0.00004250` is `-0.00425 %`. @param {string} fraction */
export function percent(fraction) {
  const [, sign, whole, rest = ''] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(fraction) ?? [];
  if (whole === undefined) return fraction;
  const digits = rest.padEnd(2, '0');
  const high = `${whole}${digits.slice(0, 2)}`.replace(/^0+(?=\d)/, '');
  const low = digits.slice(2).replace(/0+$/, '');
  return `${sign}${high}${low ? `.${low}` : ''} %`;
}

/** How much a price changed, in percent of what it was. @param {string} from @param {string} to */
export function change(from, to) {
  const before = Number(from);
  if (!before) return '';
  const value = ((Number(to) - before) / before) * 100;
  return `${value > 0 ? '+' : ''}${value.toFixed(2)} %`;
}

/** How long it is until a moment. @param {number} ms */
export function until(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** The time of day, UTC. @param {number} ms since 1970 */
export function clock(ms) {
  return new Date(ms).toISOString().slice(11, 19);
}

/** A day and its time, UTC. @param {number} ms since 1970 */
export function moment(ms) {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** How old something is. @param {number} ms */
export function age(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}
