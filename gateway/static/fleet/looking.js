// Looks at the fleet again and again, as long as somebody sees the page: never two at once, and seldom where a look is dear.

const LEAST_MS = 1000; // between two looks
const SHARE = 2; // a look that took a second is followed by one in two
const PATIENCE_MS = 8000; // a gateway gives an answer, or a refusal, within 5 s

/**
 * @param {(signal: AbortSignal) => Promise<void>} look what goes wrong it tells itself
 * @param {{ hidden: boolean, addEventListener: Function, removeEventListener: Function }} [page]
 * @returns {() => void} ends it
 */
export function keepLooking(look, page = document) {
  let timer = /** @type {any} */ (undefined);
  let isLooking = false;
  let isOver = false;

  async function once() {
    clearTimeout(timer);
    if (isLooking || isOver || page.hidden) return;
    isLooking = true;
    const began = performance.now();
    try {
      await look(AbortSignal.timeout(PATIENCE_MS));
    } catch (failure) {
      console.error(failure); // a mistake of ours: it must not be the last look
    }
    isLooking = false;
    if (!isOver && !page.hidden) timer = setTimeout(once, Math.max(LEAST_MS, SHARE * (performance.now() - began)));
  }

  page.addEventListener('visibilitychange', once);
  once();
  return () => {
    isOver = true;
    clearTimeout(timer);
    page.removeEventListener('visibilitychange', once);
  };
}
