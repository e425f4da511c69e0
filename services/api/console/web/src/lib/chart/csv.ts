/** PURE: what a chart shows as a file (RFC 4180). */
import type { Track } from "./track";

export interface Named {
  track: Track;
  unit: string;
  /** Of a state or bits: the words of a value. */
  codes?: (result: number) => string;
}

/** Within [from, to]: a row for every point of every curve. Times UTC; numbers with a decimal point. */
export function csvOf(curves: readonly Named[], from: number, to: number): string {
  const rows = [["datastream", "unit", "resolution", "figure", "time", "value", "min", "max", "codes"]];
  for (const { track, unit, codes } of curves)
    track.times.forEach((time, index) => {
      const value = track.values[index] ?? null;
      if (time < from || time > to || value === null) return;
      const banded = track.resolution !== "raw" && track.figure !== "delta" && !codes;
      rows.push([
        track.datastream,
        unit,
        track.resolution,
        track.figure,
        new Date(time).toISOString(),
        String(value),
        banded ? String(track.low[index] ?? "") : "",
        banded ? String(track.high[index] ?? "") : "",
        codes?.(value) ?? "",
      ]);
    });
  return rows.map((row) => row.map(quoted).join(",") + "\r\n").join("");
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
