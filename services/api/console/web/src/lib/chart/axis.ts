/** PURE: how times are written along an axis. */
import type { Language } from "../model";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Labels of moments `step` milliseconds apart: times of day, with the date where it changes, or dates alone. */
export function timeLabels(
  moments: readonly number[],
  step: number,
  timeZone: string,
  language: Language,
): string[] {
  const date = new Intl.DateTimeFormat(language, { timeZone, day: "numeric", month: "short" });
  if (step >= DAY) return moments.map((moment) => date.format(moment));
  const time = new Intl.DateTimeFormat(language, {
    timeZone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(step < MINUTE ? { second: "2-digit" } : {}),
  });
  let day = "";
  return moments.map((moment, index) => {
    const own = date.format(moment);
    const changed = own !== day && (index > 0 || step >= HOUR);
    day = own;
    return changed ? `${time.format(moment)}\n${own}` : time.format(moment);
  });
}
