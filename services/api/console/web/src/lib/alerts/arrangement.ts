/** PURE: in which order and groups alerts are listed. */
import type { Alert } from "../model";

export const GROUPINGS = ["none", "rule", "thing", "district"] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface Group {
  /** Key of the rule, thing or district; "" where there is none. */
  key: string;
  alerts: Alert[];
}

/** Groups in the order of their first alerts, so that the group of the worst alert comes first. */
export function grouped(alerts: readonly Alert[], by: Grouping): Group[] {
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const key = by === "none" ? "" : (alert[by] ?? "");
    const group = groups.get(key);
    if (group) group.push(alert);
    else groups.set(key, [alert]);
  }
  return [...groups].map(([key, members]) => ({ key, alerts: members }));
}

/** The first groups with that many alerts in all; the last one may be cut. */
export function limited(groups: readonly Group[], most: number): Group[] {
  const kept: Group[] = [];
  for (const group of groups) {
    if (most <= 0) break;
    kept.push({ key: group.key, alerts: group.alerts.slice(0, most) });
    most -= group.alerts.length;
  }
  return kept;
}

/** What is listed while a pointer is on the list: every row keeps its place, as a click must not hit another one.
 *
 * A row that has left stays as it was last seen, with in_inbox false. waiting: new alerts not listed yet. */
export function held(
  shown: readonly Alert[],
  current: readonly Alert[],
): { alerts: Alert[]; waiting: number } {
  const now = new Map(current.map((alert) => [alert.alert_id, alert]));
  const alerts = shown.map((alert) => now.get(alert.alert_id) ?? { ...alert, in_inbox: false });
  const listed = new Set(shown.map((alert) => alert.alert_id));
  return { alerts, waiting: current.filter((alert) => !listed.has(alert.alert_id)).length };
}

/** A list read again from its head: fresh replaces what it covers, the rest stays. Both newest first. */
export function renewed(listed: readonly Alert[], fresh: readonly Alert[], complete: boolean): Alert[] {
  const oldest = fresh.at(-1)?.alert_id;
  if (complete || oldest === undefined) return [...fresh];
  return [...fresh, ...listed.filter((alert) => alert.alert_id < oldest)];
}

/** Whether every word of the search is in one of the texts. */
export function mentions(search: string, texts: readonly string[]): boolean {
  const text = texts.join("\n").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Which row has the focus after one of the list's keys; null: not one of them. */
export function stepped(key: string, from: number, count: number): number | null {
  if (!count) return null;
  const to = { ArrowDown: from + 1, ArrowUp: from - 1, Home: 0, End: count - 1 }[key];
  return to === undefined ? null : Math.min(count - 1, Math.max(0, to));
}
