/** PURE: what each asset looks like now, and what has to be told to the map so that it shows it. */
import type { Severity } from "../model";

/** "" stands for: no alert. */
export interface AssetState {
  silent: boolean;
  severity: Severity | "";
}

export const CALM: AssetState = { silent: false, severity: "" };

/** Only the assets that look different from calm are kept. */
export type AssetStates = ReadonlyMap<string, AssetState>;

export function statesOf(silent: Iterable<string>, severities: ReadonlyMap<string, Severity>): AssetStates {
  const states = new Map<string, AssetState>();
  for (const key of silent) states.set(key, { ...CALM, silent: true });
  for (const [key, severity] of severities) states.set(key, { ...(states.get(key) ?? CALM), severity });
  return states;
}

/** [asset, what it looks like now] for each that looks different now. */
export function changesBetween(before: AssetStates, after: AssetStates): [string, AssetState][] {
  const changes: [string, AssetState][] = [];
  for (const [key, state] of after) if (!same(before.get(key) ?? CALM, state)) changes.push([key, state]);
  for (const [key, state] of before) if (!after.has(key) && !same(state, CALM)) changes.push([key, CALM]);
  return changes;
}

function same(one: AssetState, other: AssetState): boolean {
  return one.silent === other.silent && one.severity === other.severity;
}
