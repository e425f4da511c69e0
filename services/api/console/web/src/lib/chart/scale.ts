/** PURE: how high a chart is, and which marks are on it. */
import type { Alert, Severity } from "../model";
import type { Span } from "./range";

export interface Extent {
  min: number;
  max: number;
}

/** The values with room around them, and the marks that are near: a far limit must not flatten the curve. */
export function extentOf(values: Extent | null, marks: readonly number[], fromZero: boolean): Extent {
  if (!values || !Number.isFinite(values.min) || !Number.isFinite(values.max)) return { min: 0, max: 1 };
  const flat = Math.max(Math.abs(values.min), Math.abs(values.max)) * 0.1 || 1;
  const height = Math.max(values.max - values.min, flat * 0.2);
  let { min, max } = values;
  for (const mark of marks) {
    if (mark < values.min && values.min - mark <= height) min = Math.min(min, mark);
    if (mark > values.max && mark - values.max <= height) max = Math.max(max, mark);
  }
  const room = (max - min || flat) * 0.08;
  // A quantity that cannot be negative has no room under zero.
  return {
    min: fromZero ? Math.min(0, min) : min >= 0 ? Math.max(0, min - room) : min - room,
    max: max + room,
  };
}

export interface Episode extends Span {
  severity: Severity;
  alert: number;
}

/** Alerts as spans of time, cut to the chart's; one that is not over goes on until now. */
export function episodesOf(alerts: readonly Alert[], { from, to }: Span, now: number): Episode[] {
  return alerts
    .filter((alert) => alert.state === "firing" || alert.state === "resolved")
    .map((alert) => ({
      alert: alert.alert_id,
      severity: alert.severity,
      from: Math.max(from, Date.parse(alert.starts_at)),
      to: Math.min(to, alert.ends_at ? Date.parse(alert.ends_at) : now),
    }))
    .filter((episode) => episode.from <= episode.to);
}
