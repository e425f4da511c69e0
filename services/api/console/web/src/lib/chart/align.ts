/** PURE: several curves over one time axis, with holes where nothing was reported. */
import { lengthOf } from "./plan";
import type { Track } from "./track";

/** null: a hole, no line across it. undefined: another curve's moment. */
export type Column = (number | null | undefined)[];

export interface Table {
  times: number[];
  /** For each curve: values, low, high. */
  curves: { values: Column; low: Column; high: Column }[];
}

/** Longer than this between two points, and something is missing: three periods. */
export function longestPause(track: Pick<Track, "resolution" | "period">): number {
  const length = track.resolution === "raw" ? 0 : lengthOf(track.resolution);
  // The slack is for devices whose clock trembles, and for buckets, which are never closer than their length.
  return Math.max(3 * track.period, length) * 1.05;
}

/** Where a curve has to be broken: where in each pause the next point would have been. */
export function breaks(track: Pick<Track, "resolution" | "period" | "times">): number[] {
  const longest = longestPause(track);
  const step = track.resolution === "raw" ? track.period : lengthOf(track.resolution);
  const { times } = track;
  const found: number[] = [];
  for (let index = 1; index < times.length; index += 1) {
    const before = times[index - 1] ?? 0;
    if ((times[index] ?? 0) - before > longest) found.push(before + step);
  }
  return found;
}

export function aligned(tracks: readonly Track[]): Table {
  const holes = tracks.map(breaks);
  const moments = new Set<number>();
  for (const track of tracks) for (const time of track.times) moments.add(time);
  for (const own of holes) for (const time of own) moments.add(time);
  const times = [...moments].sort((one, other) => one - other);
  const place = new Map(times.map((time, index) => [time, index]));
  return { times, curves: tracks.map((track, index) => spread(track, holes[index] ?? [], place)) };
}

/** Indexes of values with a hole on either side: no line leads to them, so they want a dot. */
export function alone(column: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  let before: number | null = null;
  let candidate = -1;
  for (let index = 0; index < column.length; index += 1) {
    const value = column[index];
    if (value === undefined) continue;
    if (value === null && candidate >= 0) found.push(candidate);
    candidate = value !== null && before === null ? index : -1;
    before = value;
  }
  if (candidate >= 0) found.push(candidate);
  return found;
}

function spread(
  track: Track,
  holes: readonly number[],
  place: ReadonlyMap<number, number>,
): Table["curves"][number] {
  const columns = [track.values, track.low, track.high].map((own) => {
    const column: Column = new Array<undefined>(place.size).fill(undefined);
    own.forEach((value, index) => (column[place.get(track.times[index] ?? 0) ?? 0] = value));
    for (const hole of holes) column[place.get(hole) ?? 0] = null;
    return column;
  });
  const [values = [], low = [], high = []] = columns;
  return { values, low, high };
}

/** Index of the point that speaks for a moment: the nearest one, if it is no further than a pause; else -1. */
export function pointAt(track: Track, moment: number): number {
  const index = nearest(track.times, moment);
  const time = track.times[index];
  return time !== undefined && Math.abs(time - moment) <= longestPause(track) ? index : -1;
}

/** Index of the nearest of rising times; -1 of none. */
export function nearest(times: readonly number[], moment: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < moment) low = middle + 1;
    else high = middle;
  }
  const before = times[low - 1];
  const after = times[low];
  if (before === undefined) return after === undefined ? -1 : low;
  return after === undefined || moment - before <= after - moment ? low - 1 : low;
}
