/** PURE: the ranges a chart offers, and times of day in the city. */
import { LONGEST_RANGE } from "./plan";

const MINUTE = 60_000;

/** Length in milliseconds, by what stands in the address. */
export const PRESETS = {
  "15m": 15 * MINUTE,
  "1h": 60 * MINUTE,
  "6h": 360 * MINUTE,
  "24h": 1_440 * MINUTE,
  "7d": 7 * 1_440 * MINUTE,
  "30d": 30 * 1_440 * MINUTE,
} as const;
export type Preset = keyof typeof PRESETS;
export const PRESET_KEYS = Object.keys(PRESETS) as Preset[];

/** Unix milliseconds. */
export interface Span {
  from: number;
  to: number;
}
/** The time up to now, or between two moments. */
export type Range = Preset | Span;

/** Nothing is reported so often that less could be seen. */
export const SHORTEST_RANGE = 10_000;

export const isPreset = (range: Range): range is Preset => typeof range === "string";

export function spanOf(range: Range, now: number): Span {
  return isPreset(range) ? { from: now - PRESETS[range], to: now } : range;
}

/** A range that the API can give: neither too short nor too long, about the same middle. */
export function bounded({ from, to }: Span): Span {
  const middle = (from + to) / 2;
  const half = Math.min(Math.max(to - from, SHORTEST_RANGE), LONGEST_RANGE) / 2;
  return { from: Math.round(middle - half), to: Math.round(middle + half) };
}

/** As it stands in the address: a preset's key, or two times. */
export function writtenRange(range: Range): string {
  if (isPreset(range)) return range;
  return `${new Date(range.from).toISOString()}/${new Date(range.to).toISOString()}`;
}

/** What the address says; null where that is none. */
export function readRange(text: string | null): Range | null {
  if (!text) return null;
  const preset = PRESET_KEYS.find((key) => key === text);
  if (preset) return preset;
  const [from = Number.NaN, to = Number.NaN] = text.split("/").map((part) => Date.parse(part));
  return from < to ? bounded({ from, to }) : null;
}

/** How far the zone is ahead of UTC at a moment, milliseconds. */
export function offsetAt(moment: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(moment);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  const wall = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return wall - Math.floor(moment / 1_000) * 1_000;
}

/** What an <input type="datetime-local"> shows for a moment in the zone. */
export function wallTime(moment: number, timeZone: string): string {
  return new Date(moment + offsetAt(moment, timeZone)).toISOString().slice(0, 16);
}

/** The moment of such a text in the zone; NaN of none. A time that a clock change leaves out is moved by the change. */
export function momentOf(wall: string, timeZone: string): number {
  const utc = Date.parse(`${wall}Z`);
  if (Number.isNaN(utc)) return Number.NaN;
  const guess = utc - offsetAt(utc, timeZone);
  return utc - offsetAt(guess, timeZone);
}
