/** PURE: what has happened to an alert between two looks at it. */
import { SEVERITIES, type Alert, type Severity } from "../model";

export type Difference =
  | { kind: "rose" | "fell"; to: Severity }
  | { kind: "resolved" | "void" }
  | { kind: "acknowledged"; by: string; note: string | null }
  | { kind: "other" };

/** Most important first; never empty, as the version has changed. */
export function differences(seen: Alert, current: Alert): Difference[] {
  const found: Difference[] = [];
  const step = SEVERITIES.indexOf(current.severity) - SEVERITIES.indexOf(seen.severity);
  if (step) found.push({ kind: step < 0 ? "rose" : "fell", to: current.severity });
  if (current.acknowledged && current.acknowledged.at !== seen.acknowledged?.at)
    found.push({ kind: "acknowledged", by: current.acknowledged.by, note: current.acknowledged.note });
  if (seen.acknowledged && !current.acknowledged) found.push({ kind: "void" });
  if (current.state === "resolved" && seen.state !== "resolved") found.push({ kind: "resolved" });
  return found.length ? found : [{ kind: "other" }];
}
