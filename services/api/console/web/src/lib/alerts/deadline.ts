/** PURE: how much of the time to respond is left. */
import { durationOf } from "../format";
import type { Alert } from "../model";

export interface Deadline {
  /** Milliseconds; negative once it has passed. */
  left: number;
  /** The last quarter of the time, and after. */
  urgent: boolean;
  overdue: boolean;
}

type Timed = Pick<Alert, "state" | "acknowledged" | "detected_at" | "respond_within">;

/** Counted from when the alert fired. null: nobody is waited for, as it is acknowledged or over. now: Unix milliseconds. */
export function deadlineOf(alert: Timed, now: number): Deadline | null {
  const allowed = durationOf(alert.respond_within);
  if (alert.state !== "firing" || alert.acknowledged || !alert.detected_at || Number.isNaN(allowed))
    return null;
  const left = Date.parse(alert.detected_at) + allowed - now;
  return { left, urgent: left <= allowed / 4, overdue: left <= 0 };
}
