/** Where in the list of assets the operator was, for the way back from an asset. */

class Place {
  scrolled = 0;
  #left: { search: string; scrolled: number } | null = null;

  leave(search: string): void {
    this.#left = { search, scrolled: this.scrolled };
  }

  /** How far the list was scrolled when it was left, if it is the same list. */
  back(search: string): number {
    return this.#left?.search === search ? this.#left.scrolled : 0;
  }
}

export const place = new Place();
