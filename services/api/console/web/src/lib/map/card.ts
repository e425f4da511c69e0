/** PURE: which of a thing's values are shown first. */
import type { Alert, ObservedProperty, Value } from "../model";

const SHOWN = 6;

/** The values of what is wrong first, then by datastream; a few of them. */
export function headline(values: readonly Value[], alerts: readonly Alert[]): Value[] {
  const wrong = new Set(alerts.map((alert) => alert.datastream));
  return [...values]
    .sort(
      (one, other) =>
        Number(wrong.has(other.datastream)) - Number(wrong.has(one.datastream)) ||
        one.datastream_id - other.datastream_id,
    )
    .slice(0, SHOWN);
}

/** A state, or a bit that is set, that the catalogue calls abnormal. */
export function isAbnormal(value: Value, property: ObservedProperty | undefined): boolean {
  return (value.codes ?? []).some((key) => property?.codes.some((code) => code.key === key && code.abnormal));
}
