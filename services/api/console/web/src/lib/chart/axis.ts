/** PURE: how times are written along an axis. */
import { printedDay } from "../format";
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
  const dayOf = (moment: number): string => printedDay(moment, timeZone, language);
  if (step >= DAY) return moments.map(dayOf);
  // Digits alone are the same in every language.
  const time = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hour: "2-digit",
    minute: "2-digit",
    ...(step < MINUTE ? { second: "2-digit" } : {}),
  });
  let day = "";
  return moments.map((moment, index) => {
    const own = dayOf(moment);
    const changed = own !== day && (index > 0 || step >= HOUR);
    day = own;
    return changed ? `${time.format(moment)}\n${own}` : time.format(moment);
  });
}
