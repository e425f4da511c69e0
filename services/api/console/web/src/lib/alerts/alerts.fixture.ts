/** PURE: an alert for tests. */
import type { Alert } from "../model";

const words = (text: string) => ({ kk: text, ru: text, en: text });

export function alertOf(change: Partial<Alert> = {}): Alert {
  return {
    alert_id: 1,
    fingerprint: "f",
    version: 2,
    state: "firing",
    severity: "high",
    class: "process",
    rule: "water-main-burst",
    labels: {},
    domain: "water",
    district: "gate",
    thing: "main-1",
    datastream: "main-1.pressure",
    value: 2.5,
    cause: words("cause"),
    consequence: words("consequence"),
    action: words("action"),
    respond_within: "PT10M",
    starts_at: "2026-11-22T08:00:00Z",
    detected_at: "2026-11-22T08:00:10Z",
    ends_at: null,
    acknowledged: null,
    in_inbox: true,
    updated_at: "2026-11-22T08:00:10Z",
    ...change,
  };
}
