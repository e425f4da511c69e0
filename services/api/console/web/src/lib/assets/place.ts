/** Where in the list of assets the operator is, and was, for the way back from an asset. */

/** What scrolls is the page's main part (App.svelte). */
const scroller = (): HTMLElement | null => document.getElementById("content");

class Place {
  #left: { search: string; scrolled: number } | null = null;
  /** Of the list, pixels: when it is left, the next page has already taken its place. */
  scrolled = 0;

  /** search: what is chosen, as in the address. */
  leave(search: string): void {
    this.#left = { search, scrolled: this.scrolled };
  }

  /** How far the list was scrolled when it was left, if it is the same list. */
  back(search: string): number {
    return this.#left?.search === search ? this.#left.scrolled : 0;
  }

  scrollTo(top: number): void {
    const own = scroller();
    if (own) own.scrollTop = top;
  }
}

export const place = new Place();

/** Tells which part of a list is in view, now and whenever that changes. Gives what ends it.
 *
 * top: how far the list's top is above the view's, pixels. */
export function followed(
  list: HTMLElement,
  seen: (view: { top: number; height: number }) => void,
): () => void {
  const view = scroller();
  if (!view) return () => undefined;
  const look = (): void =>
    seen({
      top: view.getBoundingClientRect().top - list.getBoundingClientRect().top,
      height: view.clientHeight,
    });
  const scrolled = (): void => {
    place.scrolled = view.scrollTop;
    look();
  };
  place.scrolled = 0;
  view.addEventListener("scroll", scrolled, { passive: true });
  const watch = new ResizeObserver(look);
  watch.observe(view);
  watch.observe(list);
  return () => {
    view.removeEventListener("scroll", scrolled);
    watch.disconnect();
  };
}
