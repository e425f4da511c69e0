/** What the operator API says of rejected messages (docs/operator-api.md); names as there. */

export type RejectedState = "open" | "replayed" | "dismissed";
export type RemedyKind = "channel" | "range" | "device" | "host";

export interface RejectedGroup {
  reason: string;
  publisher: string;
  device: string;
  channel: string | null;
  refused: number;
  open: number;
  first_at: string;
  last_at: string;
  newest_id: number;
  detail: string;
}

export interface RejectedFlood {
  publisher: string;
  reason: string;
  refused: number;
}

export interface RejectedCounts {
  groups: RejectedGroup[];
  floods: RejectedFlood[];
}

export interface RejectedMessage {
  rejected_id: number;
  received_at: string;
  scope: "message" | "item" | "value";
  reason: string;
  detail: string;
  topic: string;
  publisher: string;
  device: string | null;
  channel: string | null;
  item_index: number | null;
  epoch: number | null;
  seq: number | null;
  payload_bytes: number | null;
  state: RejectedState;
  attempts: number;
  settled_at: string | null;
  settled_by: string | null;
  note: string | null;
}

export interface Remedy {
  kind: RemedyKind | null;
  facts: Record<string, unknown>;
}

/** What /replays and /rejected-messages/dismissals take. */
export interface Chosen {
  ids?: number[];
  reasons?: string[];
  devices?: string[];
  channels?: string[];
}

export interface Replay {
  replay_id: number;
  finished_at: string | null;
  messages: number;
  mended: number;
  refused: number;
  lost: number;
}
