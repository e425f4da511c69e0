/** PURE: how far somebody who sees the console for the first time has come. */

export const STEPS = ["live", "alert", "acknowledge"] as const;
export type Step = (typeof STEPS)[number] | "done";

export interface Facts {
  live: boolean;
  /** Alerts in the inbox that nobody has acknowledged. */
  waiting: number;
  /** Alerts acknowledged here since the console was opened. */
  acknowledged: number;
}

/** The step to show; it never goes back, so that a lost connection or a resolved alert does not begin anew. */
export function stepAfter(step: Step, facts: Facts): Step {
  if (step === "done" || facts.acknowledged > 0) return "done";
  if (step === "acknowledge" || (step === "alert" && facts.waiting > 0)) return "acknowledge";
  if (step === "live" && facts.live) return facts.waiting > 0 ? "acknowledge" : "alert";
  return step;
}
