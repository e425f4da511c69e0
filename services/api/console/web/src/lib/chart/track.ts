/** PURE: one curve of a chart: what the API answered, and the live values after it. Times in Unix milliseconds. */
import type { Quality, StateCode } from "../model";
import { bucketStart, lengthOf, type Resolution } from "./plan";

export interface Observation {
  phenomenon_time: string;
  result: number;
  quality: Quality;
}

export interface Sums {
  start: string;
  count: number;
  avg?: number | null;
  min?: number | null;
  max?: number | null;
  last?: number | null;
  delta?: number | null;
  /** Seconds in each state, by its code's key. */
  duration?: Record<string, number> | null;
}

export type Figure = "value" | "avg" | "last" | "max" | "min" | "delta";

/** All arrays are of one length. */
export interface Track {
  datastream: string;
  resolution: Resolution;
  /** How often it is reported. */
  period: number;
  /** What `values` are. */
  figure: Figure;
  /** Moments of single values, starts of buckets; rising. */
  times: number[];
  /** null: nothing that can be believed. Of a counter the rise. */
  values: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  counts: number[];
  /** Of a counter its reading at the bucket's end. */
  readings: (number | null)[];
  /** Of a state: share of the bucket in each code. Else empty. */
  shares: Record<string, number>[];
}

/** What is appended live is kept up to so many points; older ones go first. */
export const MOST_POINTS = 20_000;

export function emptyTrack(head: Pick<Track, "datastream" | "resolution" | "period">, figure: Figure): Track {
  return { ...head, figure, times: [], values: [], low: [], high: [], counts: [], readings: [], shares: [] };
}

/** Failed and missing values are no values: buckets leave them out, too. */
function believed(observation: Pick<Observation, "result" | "quality">): number | null {
  const bad = observation.quality === "fail" || observation.quality === "missing";
  return bad || !Number.isFinite(observation.result) ? null : observation.result;
}

export function addObservations(track: Track, observations: readonly Observation[]): void {
  for (const one of observations) push(track, Date.parse(one.phenomenon_time), believed(one));
}

const FIGURES: readonly Exclude<Figure, "value">[] = ["delta", "avg", "last", "max", "min"];

/** The figure that a curve in buckets shows, of those the catalogue allows for the property. */
export function figureOf(aggregations: readonly string[]): Figure {
  return FIGURES.find((figure) => aggregations.includes(figure)) ?? "last";
}

export function addBuckets(track: Track, buckets: readonly Sums[], codes: readonly StateCode[]): void {
  const figure = track.figure === "value" ? "last" : track.figure;
  for (const one of buckets) {
    push(track, Date.parse(one.start), one[figure] ?? null);
    const index = track.times.length - 1;
    track.low[index] = one.min ?? null;
    track.high[index] = one.max ?? null;
    track.counts[index] = one.count;
    track.readings[index] = one.last ?? null;
    if (one.duration) track.shares[index] = shared(one.duration, track.resolution, codes);
  }
}

function shared(
  duration: Record<string, number>,
  resolution: Resolution,
  codes: readonly StateCode[],
): Record<string, number> {
  const length = (resolution === "raw" ? 1 : lengthOf(resolution)) / 1_000;
  return Object.fromEntries(
    codes.flatMap(({ key }) => (duration[key] ? [[key, Math.min(1, duration[key] / length)]] : [])),
  );
}

/** Takes a live value; whether it changed anything. One that is not newer than all before it is passed over. */
export function addLive(track: Track, time: number, result: number, quality: Quality): boolean {
  const value = believed({ result, quality });
  if (track.resolution !== "raw") return fold(track, time, value);
  const last = track.times.at(-1);
  if (last !== undefined && time <= last) return false;
  push(track, time, value);
  return true;
}

/** Whether live values cannot go on with it: how long a state lasted, and whole days, are for the server to say. */
export function unfollowed({ resolution, shares, times }: Track): boolean {
  return shares.length > 0 || (resolution !== "raw" && bucketStart(times.at(-1) ?? 0, resolution) === null);
}

/** Takes away what is older than `from`, and what is too much. */
export function dropBefore(track: Track, from: number): void {
  const first = track.times.findIndex((time) => time >= from);
  const old = first < 0 ? track.times.length : first;
  const away = Math.max(old, track.times.length - MOST_POINTS);
  if (away <= 0) return;
  for (const column of columns(track)) column.splice(0, away);
}

function columns(track: Track): unknown[][] {
  const { times, values, low, high, counts, readings, shares } = track;
  return [times, values, low, high, counts, readings, ...(shares.length ? [shares] : [])];
}

function push(track: Track, time: number, value: number | null): void {
  track.times.push(time);
  track.values.push(value);
  track.low.push(value);
  track.high.push(value);
  track.counts.push(value === null ? 0 : 1);
  track.readings.push(value);
}

/** Adds a live value to the bucket that is not over yet. What a counter shows has risen before that moment. */
function fold(track: Track, time: number, value: number | null): boolean {
  const moment = track.figure === "delta" ? time - 1 : time;
  const start = track.resolution === "raw" ? null : bucketStart(moment, track.resolution);
  const index = track.times.length - 1;
  const newest = track.times[index];
  if (start === null || value === null || track.shares.length) return false;
  if (newest === undefined || start > newest) {
    const before = track.readings[index] ?? null;
    push(track, start, track.figure === "delta" ? risen(before, value) : value);
    track.low[index + 1] = track.high[index + 1] = track.readings[index + 1] = value;
    return true;
  }
  if (start < newest) return false;
  track.values[index] = folded(track, index, value);
  track.low[index] = Math.min(track.low[index] ?? value, value);
  track.high[index] = Math.max(track.high[index] ?? value, value);
  track.counts[index] = (track.counts[index] ?? 0) + 1;
  track.readings[index] = value;
  return true;
}

function folded(track: Track, index: number, value: number): number {
  const held = track.values[index] ?? null;
  const count = track.counts[index] ?? 0;
  if (track.figure === "delta") return (held ?? 0) + risen(track.readings[index] ?? null, value);
  if (held === null || track.figure === "last" || track.figure === "value") return value;
  if (track.figure === "max") return Math.max(held, value);
  if (track.figure === "min") return Math.min(held, value);
  return (held * count + value) / (count + 1);
}

/** A fall is a reset to zero (docs/open-data.md). */
function risen(before: number | null, now: number): number {
  if (before === null) return 0;
  return now >= before ? now - before : now;
}
