/** PURE: which of a thing's values are shown first. */
import type { Alert, ObservedProperty, Value } from "../model";

const SHOWN = 6;

/** The values of what is wrong first, then one of each property, then by datastream; a few of them. */
export function headline(values: readonly Value[], alerts: readonly Alert[]): Value[] {
  const wrong = new Set(alerts.map((alert) => alert.datastream));
  const seen = new Map<string, number>();
  return [...values]
    .sort((one, other) => one.datastream_id - other.datastream_id)
    .map((value) => {
      const nth = seen.get(value.observed_property) ?? 0;
      seen.set(value.observed_property, nth + 1);
      return { value, place: wrong.has(value.datastream) ? -1 : nth };
    })
    .sort((one, other) => one.place - other.place)
    .slice(0, SHOWN)
    .map(({ value }) => value);
}

/** What tells a channel from the others of its property, e.g. "l2" of current_l1, current_l2; "" where it is alone. */
export function channelOf(value: Value, all: readonly Value[]): string {
  const alike = all
    .filter((other) => other.observed_property === value.observed_property)
    .map((other) => channel(other).split("_"));
  if (alike.length < 2) return "";
  return channel(value)
    .split("_")
    .filter((part) => !alike.every((parts) => parts.includes(part)))
    .join(" ");
}

function channel({ datastream }: Value): string {
  return datastream.slice(datastream.lastIndexOf(".") + 1);
}

/** A state, or a bit that is set, that the catalogue calls abnormal. */
export function isAbnormal(value: Value, property: ObservedProperty | undefined): boolean {
  return (value.codes ?? []).some((key) => property?.codes.some((code) => code.key === key && code.abnormal));
}
