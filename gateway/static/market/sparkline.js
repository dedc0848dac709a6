// A day of prices as one line on a small canvas.

/**
 * Where the line goes.  Pure.
 * @param {number[]} values @param {number} width @param {number} height
 * @returns {[number, number][]}
 */
export function line(values, width, height) {
  const low = Math.min(...values);
  const spread = Math.max(...values) - low || 1;
  const step = width / Math.max(values.length - 1, 1);
  return values.map((value, index) => [index * step, 1 + (1 - (value - low) / spread) * (height - 2)]);
}

/** @param {HTMLCanvasElement} canvas @param {number[]} values @param {string} colour */
export function drawLine(canvas, values, colour) {
  const context = canvas.getContext('2d');
  if (!context) return;
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (values.length < 2) return;
  context.strokeStyle = colour;
  context.lineWidth = canvas.height / 20;
  context.beginPath();
  for (const [x, y] of line(values, canvas.width, canvas.height)) context.lineTo(x, y);
  context.stroke();
}
