/** PURE: a curve in a few numbers, for those who do not look at it. */
import type { Track } from "./track";

export interface Summary {
  count: number;
  min: number;
  mean: number;
  max: number;
  sum: number;
  last: number;
  lastTime: number;
}

/** Within [from, to]; null: there is nothing. The mean counts every single value alike. */
export function summaryOf(track: Track, from: number, to: number): Summary | null {
  const seen: Summary = { count: 0, min: Infinity, mean: 0, max: -Infinity, sum: 0, last: 0, lastTime: 0 };
  let weight = 0;
  track.times.forEach((time, index) => {
    const value = track.values[index] ?? null;
    if (time < from || time > to || value === null) return;
    const own = track.figure === "avg" ? (track.counts[index] ?? 1) : 1;
    seen.count += 1;
    seen.min = Math.min(seen.min, band(track, track.low, index, value));
    seen.max = Math.max(seen.max, band(track, track.high, index, value));
    seen.sum += value;
    seen.mean += value * own;
    weight += own;
    seen.last = value;
    seen.lastTime = time;
  });
  if (!seen.count) return null;
  seen.mean /= weight || 1;
  return seen;
}

function band(track: Track, edge: readonly (number | null)[], index: number, value: number): number {
  return track.figure === "delta" ? value : (edge[index] ?? value);
}
