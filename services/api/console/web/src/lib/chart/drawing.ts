/** PURE: all that is on a chart at one moment. */
import type { PropertyKind, StateCode } from "../model";
import { aligned, type Table } from "./align";
import type { Limit } from "./limits";
import type { Span } from "./range";
import { runsOf, type Run } from "./lanes";
import type { Episode } from "./scale";
import type { Track } from "./track";

export interface Drawing {
  kind: PropertyKind;
  span: Span;
  tracks: readonly Track[];
  table: Table;
  /** From the top; empty of numbers. */
  lanes: readonly Lane[];
  runs: readonly Run[];
  limits: readonly Limit[];
  /** Edges of the plausible range. */
  plausible: readonly number[];
  episodes: readonly Episode[];
  /** Points that have a value. */
  points: number;
}

/** code: null of the lane "no bit set". */
export interface Lane {
  code: StateCode | null;
}

export type Marks = Pick<Drawing, "limits" | "plausible" | "episodes">;

export function drawn(
  kind: PropertyKind,
  tracks: readonly Track[],
  codes: readonly StateCode[],
  span: Span,
  marks: Marks,
): Drawing {
  const [only] = tracks;
  const lanes = lanesOf(kind, codes);
  return {
    kind,
    span,
    tracks,
    table: aligned(tracks),
    lanes,
    runs: only && (kind === "state" || kind === "bits") ? runsOf(only, kind, codes) : [],
    points: tracks.reduce((sum, track) => sum + pointsIn(track, span), 0),
    ...marks,
  };
}

function lanesOf(kind: PropertyKind, codes: readonly StateCode[]): Lane[] {
  if (kind === "state") return codes.map((code) => ({ code }));
  return kind === "bits" ? [...codes.map((code) => ({ code })), { code: null }] : [];
}

function pointsIn(track: Track, { from, to }: Span): number {
  return track.times.reduce(
    (sum, time, index) => sum + Number(time >= from && time <= to && (track.values[index] ?? null) !== null),
    0,
  );
}
