// The newest lines of a live output: bounded, and held still while somebody reads them.  Without a page.

export const LINES_MOST = 200;
export const LINE_MOST = 2000; // characters that are shown of one

export class Output {
  /** @type {{ kind: string, text: string }[]} */
  fresh = []; // not shown yet
  count = 0; // of all messages since the start
  passed = 0; // of them, those that were never shown
  paused = false;

  constructor(most = LINES_MOST) {
    this.most = most;
  }

  clear() {
    this.fresh = [];
    this.count = this.passed = 0;
    this.paused = false;
  }

  // A line of a kind: 'data', 'note' (what this page says) or 'error'.
  add(text, kind = 'data') {
    if (kind === 'data') this.count += 1;
    const rest = text.length - LINE_MOST;
    this.fresh.push({ kind, text: rest > 0 ? `${text.slice(0, LINE_MOST)} … and ${rest.toLocaleString('en')} characters` : text });
    if (this.fresh.length > this.most) {
      this.fresh.shift();
      this.passed += 1;
    }
  }

  // What has come since the last time; nothing while paused.  No more than fit are ever held back.
  take() {
    if (this.paused) return [];
    const taken = this.fresh;
    this.fresh = [];
    return taken;
  }
}
