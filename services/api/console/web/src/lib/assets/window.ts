/** PURE: which rows of a long list are drawn. */

export interface Rows {
  first: number;
  /** Not drawn itself. */
  end: number;
}

/** Rows drawn beyond the edges, so that keys and a quick finger find them there. */
const BEYOND = 12;

/** top: how far the list's own top is above the viewport's, pixels (negative: it is below). */
export function rowsAt(top: number, viewport: number, rowHeight: number, count: number): Rows {
  const first = Math.floor(Math.max(0, top) / rowHeight) - BEYOND;
  const end = Math.ceil((Math.max(0, top) + viewport) / rowHeight) + BEYOND;
  // Multiples, so that not every pixel of scrolling draws anew.
  const step = BEYOND / 2;
  return {
    first: Math.min(Math.max(0, Math.floor(first / step) * step), count),
    end: Math.min(count, Math.ceil(end / step) * step),
  };
}
