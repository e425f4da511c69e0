/** What /devices/ID/watch and /devices/ID/conformance tell (docs/operator-api.md); names as there. */

export interface Refusal {
  scope: string;
  reason: string;
  channel: string | null;
  device: string | null;
  detail: string;
}

export interface MessageReport {
  kind: "message";
  received: {
    at_ms: number;
    publisher: string;
    topic: string;
    message: string;
    bytes: number;
    qos: number;
    payload: string;
  };
  decoded: { as: string; seq?: number | null; epoch?: number | null; items?: number; reason?: string };
  refused: Refusal[];
  committed?: {
    latency_ms: number;
    batch: number;
    stored?: number;
    merged?: number;
    duplicate?: number;
    rejected?: number;
  };
}

export interface ReceiptReport {
  kind: "receipt";
  at_ms: number;
  topic: string;
  receipt: { epoch: number; stored_through: number | null; rejected?: unknown[] };
}

export type Report = MessageReport | ReceiptReport;

export interface ConformanceCheck {
  check: string;
  title: string;
  verdict: "passed" | "failed" | "not_seen";
  verdict_name: string;
  numbers: Record<string, unknown>;
}

export interface ConformanceReport {
  device: string;
  title: string;
  messages: number;
  checks: ConformanceCheck[];
}
