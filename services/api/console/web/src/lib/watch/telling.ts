/** PURE: a watched message in few words; fates and facts in the protocol's own. */
import type { ConformanceCheck, MessageReport } from "./model";

const FATES = ["stored", "merged", "duplicate", "rejected"] as const;

/** What the message is, e.g. "data seq 7 epoch 1, 3 items". */
export function contentOf({ decoded }: MessageReport): string {
  const facts = (["seq", "epoch"] as const)
    .filter((name) => decoded[name] !== undefined && decoded[name] !== null)
    .map((name) => `${name} ${decoded[name]}`);
  const items = decoded.items === undefined ? [] : [`items ${decoded.items}`];
  return [decoded.as, ...facts, ...items].join(" · ");
}

/** What became of its items; "" where it has none. */
export function fateOf({ committed }: MessageReport): string {
  return FATES.filter((fate) => committed?.[fate])
    .map((fate) => `${fate} ${committed?.[fate]}`)
    .join(", ");
}

export function numbersOf({ numbers }: ConformanceCheck): string {
  return Object.entries(numbers)
    .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(" ") : String(value)}`)
    .join(", ");
}
