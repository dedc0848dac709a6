// Draws what has changed, at most once a frame, however many messages came meanwhile.

/** Painters that are due, and when they run.  Pure, but for `schedule`. */
export class Paint {
  /** @type {Set<() => void>} */
  #due = new Set();
  #scheduled = false;
  #schedule;

  /** @param {(run: () => void) => void} schedule calls back at the next frame */
  constructor(schedule = (run) => requestAnimationFrame(run)) {
    this.#schedule = schedule;
  }

  /** Have a painter run at the next frame, once.  @param {() => void} painter the same function each time */
  ask(painter) {
    this.#due.add(painter);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => this.#run());
  }

  /** What a painter draws on is gone. @param {() => void} painter */
  forget(painter) {
    this.#due.delete(painter);
  }

  #run() {
    this.#scheduled = false;
    const due = this.#due;
    this.#due = new Set(); // a painter may ask for the next frame
    for (const painter of due) {
      try {
        painter();
      } catch (failure) {
        console.error(failure); // one that fails does not take the others with it
      }
    }
  }
}
