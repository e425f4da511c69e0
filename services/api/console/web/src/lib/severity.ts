/** PURE: a severity is told by shape as well as by colour; the shapes are the same in lists and on the map. */
import type { Severity } from "./model";

/** SVG paths in a box of 24 by 24. */
export const SHAPES: Record<Severity, string> = {
  critical: "M8 1h8l7 7v8l-7 7H8l-7-7V8z",
  high: "M12 1 23.5 22H.5z",
  medium: "M12 .5 23.5 12 12 23.5.5 12z",
  low: "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20z",
};
