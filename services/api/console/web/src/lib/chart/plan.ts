/** PURE: whether a range is read as single values or in buckets, and in which (limits: docs/open-data.md). */
import type { PropertyKind } from "../model";

export type Bucket = "1m" | "5m" | "15m" | "1h" | "1d" | "1w";
/** "raw": every value by itself. */
export type Resolution = "raw" | Bucket;

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

/** Finest first: length, and the longest range the API gives of it; milliseconds. */
const BUCKETS: readonly { bucket: Bucket; length: number; longest: number }[] = [
  { bucket: "1m", length: MINUTE, longest: 2 * DAY },
  { bucket: "5m", length: 5 * MINUTE, longest: 8 * DAY },
  { bucket: "15m", length: 15 * MINUTE, longest: 31 * DAY },
  { bucket: "1h", length: 60 * MINUTE, longest: 92 * DAY },
  { bucket: "1d", length: DAY, longest: 366 * DAY },
  { bucket: "1w", length: 7 * DAY, longest: 366 * DAY },
];
const LONGEST_RAW = 31 * DAY;
/** More single values in one curve than these cannot be told apart on a screen. */
const MOST_VALUES = 5_000;
const MOST_BUCKETS = 2_300;
/** Bars want to be seen one by one. */
const MOST_BARS = 200;

/** What the API gives at most at once, milliseconds. */
export const LONGEST_RANGE = 366 * DAY;

export const lengthOf = (bucket: Bucket): number =>
  BUCKETS.find((one) => one.bucket === bucket)?.length ?? MINUTE;

/** How to read a range of `span` milliseconds of something reported every `period` milliseconds.
 *
 * Counters are always read in buckets: what counts is how much they rise. */
export function resolutionFor(kind: PropertyKind, span: number, period: number): Resolution {
  const counter = kind === "counter";
  if (!counter && span <= LONGEST_RAW && span / period <= MOST_VALUES) return "raw";
  return bucketFor(span, counter ? MOST_BARS : MOST_BUCKETS, period);
}

/** The next coarser one: for a range with more single values than its period let expect. */
export function coarser(span: number): Bucket {
  return bucketFor(span, MOST_BUCKETS, 0);
}

/** The bucket that a moment falls into, as far as it can be told without a calendar: up to an hour. */
export function bucketStart(moment: number, bucket: Bucket): number | null {
  const length = lengthOf(bucket);
  return length < DAY ? Math.floor(moment / length) * length : null;
}

function bucketFor(span: number, most: number, period: number): Bucket {
  const fit = BUCKETS.find(
    ({ length, longest }) => span <= longest && span / length <= most && length >= period,
  );
  return fit?.bucket ?? "1w";
}
