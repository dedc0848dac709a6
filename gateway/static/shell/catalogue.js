// What the gateway's markets list, and how one finds a symbol in it.  Pure.

/** @typedef {{ symbol: string, pair: string, contract: string, status: string }} Listed */
/** @typedef {{ market: string, taken: number, simulated: boolean, replayed: boolean, symbols: Listed[] }} Listing */

const NAMES = /** @type {Record<string, string>} */ ({ spot: 'Spot', usdm: 'USD-M futures', coinm: 'COIN-M futures' });

/** What people call a market. @param {string} market */
export function marketName(market) {
  return NAMES[market] ?? market;
}

export class Catalogue {
  /** @type {Map<string, Listing>} */
  #listings;
  /** @type {Map<string, Map<string, Listed>>} */
  #symbols;

  /** @param {Listing[]} listings as `/api/v1/symbols` tells them */
  constructor(listings) {
    this.#listings = new Map(listings.map((listing) => [listing.market, listing]));
    this.#symbols = new Map(listings.map((listing) => [listing.market, new Map(listing.symbols.map((each) => [each.symbol, each]))]));
  }

  /** Those that may be read here. */
  get markets() {
    return [...this.#listings.keys()];
  }

  /** What the data is, if not Binance's own at this moment: `simulated`, `replayed`, or nothing. */
  get nature() {
    const all = [...this.#listings.values()];
    if (all.some((listing) => listing.replayed)) return 'replayed';
    return all.some((listing) => listing.simulated) ? 'simulated' : '';
  }

  /** @param {string} market @param {string} symbol @returns {Listed | undefined} */
  find(market, symbol) {
    return this.#symbols.get(market)?.get(symbol.toUpperCase());
  }

  /** The symbols of a market that trade now. @param {string} market @returns {string[]} */
  trading(market) {
    return (this.#listings.get(market)?.symbols ?? []).filter((each) => each.status === 'TRADING').map((each) => each.symbol);
  }

  /**
   * The symbols that somebody may mean who has typed so much: those that begin with it first, the shortest of them first.
   * @param {string} market
   * @param {string} typed in any case, with or without separators
   * @param {number} most
   * @returns {Listed[]}
   */
  search(market, typed, most = 50) {
    const wanted = bare(typed);
    /** @type {[number, number, number, Listed][]} */
    const found = [];
    for (const [order, each] of (this.#listings.get(market)?.symbols ?? []).entries()) {
      const at = each.symbol.indexOf(wanted);
      if (at >= 0) found.push([Math.min(at, 1) + (each.status === 'TRADING' ? 0 : 2), wanted ? each.symbol.length : 0, order, each]);
    }
    found.sort((one, other) => one[0] - other[0] || one[1] - other[1] || one[2] - other[2]);
    return found.slice(0, most).map((each) => each[3]);
  }

  /** Symbols that begin as one does that is not listed. @param {string} market @param {string} symbol @param {number} most */
  like(market, symbol, most = 5) {
    for (let length = symbol.length - 1; length >= 2; length--) {
      const found = this.search(market, symbol.slice(0, length), most);
      if (found.length) return found.map((each) => each.symbol);
    }
    return [];
  }
}

/** @param {string} typed */
function bare(typed) {
  return typed.normalize('NFC').toUpperCase().replace(/[\s/-]/g, '');
}
