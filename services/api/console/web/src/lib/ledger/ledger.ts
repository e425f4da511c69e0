/** PURE: the conservation law as it is drawn: received = stored + merged + duplicate + rejected + waiting. */

export const FATES = ["stored", "merged", "duplicate", "rejected", "waiting"] as const;
export type Fate = (typeof FATES)[number];

/** Items by fate. */
export type Account = Record<Fate, number> & { received: number; rejected_values: number };

/** Numbered messages: numbers = messages + missing + lost. */
export interface Numbering {
  numbers: number;
  messages: number;
  missing: number;
  lost: number;
}

export type Breach = "fates" | "messages" | "gaps" | "log";

export interface Violation {
  /** null: a publisher that is not in the registry, or the whole. */
  device: string | null;
  epoch: number | null;
  what: Breach;
  difference: number;
}

export interface Balance {
  total: Account;
  messages: Numbering;
  balanced: boolean;
  violations: Violation[];
}

export interface PublisherAccount extends Account {
  publisher_id: number;
  device: string | null;
  messages: Numbering | null;
  last_seen: string | null;
  gaps: number;
  balanced: boolean;
}

export interface Gap {
  device: string | null;
  epoch: number;
  from_seq: number;
  to_seq: number;
  state: "open" | "lost" | "closed";
  recorded_at: string;
  closed_at: string | null;
}

/** A fate, how many items, and its part of all: at least a sliver where there is anything at all, 0 where not. */
export interface Part {
  fate: Fate;
  items: number;
  /** 0 … 1; all together at most 1. */
  share: number;
}

const SLIVER = 0.006;

export function partsOf(account: Account): Part[] {
  const whole = FATES.reduce((sum, fate) => sum + account[fate], 0);
  const raw = FATES.map((fate) => (account[fate] ? Math.max(account[fate] / whole, SLIVER) : 0));
  const drawn = raw.reduce((sum, share) => sum + share, 0) || 1;
  return FATES.map((fate, place) => ({ fate, items: account[fate], share: (raw[place] ?? 0) / drawn }));
}

/** What is received beyond its fates; 0 when the law holds. */
export function differenceOf(account: Account): number {
  return FATES.reduce((rest, fate) => rest - account[fate], account.received);
}

/** Items a second between two looks; null: too close, or the counts begin anew. */
export function rateOf(
  before: { at: number; received: number } | null,
  after: { at: number; received: number },
): number | null {
  if (before === null || after.received < before.received || after.at - before.at < 500) return null;
  return ((after.received - before.received) * 1_000) / (after.at - before.at);
}

export type Filter = "all" | "gaps" | "unbalanced";

/** The query of the list of publishers. */
export function queryOf(filter: Filter, words: string): Record<string, string | boolean | undefined> {
  return {
    q: words.trim() || undefined,
    with_gaps: filter === "gaps" || undefined,
    unbalanced: filter === "unbalanced" || undefined,
  };
}
