/** PURE: which datastreams can be in one chart. */
import type { Datastream } from "../model";

/** More curves cannot be told apart. */
export const MOST_CURVES = 4;

type Kinship = Pick<Datastream, "key" | "kind" | "unit">;

/** Curves share an axis if they are measured, or counted, in the same unit. States stand alone. */
export function comparable(one: Kinship, other: Kinship): boolean {
  const numeric = one.kind === "measurement" || one.kind === "counter";
  return numeric && one.kind === other.kind && one.unit === other.unit;
}

/** The chart after a click on one: taken away, added to its like, or alone. At least one stays. */
export function toggled(
  shown: readonly string[],
  clicked: string,
  datastreams: readonly Kinship[],
): readonly string[] {
  if (shown.includes(clicked)) return shown.length > 1 ? shown.filter((key) => key !== clicked) : shown;
  const find = (key: string): Kinship | undefined => datastreams.find((one) => one.key === key);
  const added = find(clicked);
  const like = shown.filter((key) => {
    const one = find(key);
    return one && added && comparable(one, added);
  });
  return [...like.slice(-(MOST_CURVES - 1)), clicked];
}

/** As many of these as go together with the first. */
export function together(keys: readonly string[], datastreams: readonly Kinship[]): readonly string[] {
  const first = datastreams.find((one) => one.key === keys[0]);
  return keys
    .filter((key, index) => {
      const one = datastreams.find((other) => other.key === key);
      return index === 0 || (first && one && key !== first.key && comparable(first, one));
    })
    .slice(0, MOST_CURVES);
}
