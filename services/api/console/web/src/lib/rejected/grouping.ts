/** PURE: which groups of refusals a list shows. */
import type { RejectedGroup } from "./model";

export interface Wanted {
  reason: string;
  words: string;
  settled: boolean;
}

/** In their order; words: any part of device, publisher, channel or sentence. */
export function shown(groups: readonly RejectedGroup[], wanted: Wanted): RejectedGroup[] {
  const words = wanted.words.trim().toLowerCase();
  return groups.filter(
    (group) =>
      (wanted.settled || group.open > 0) &&
      (!wanted.reason || group.reason === wanted.reason) &&
      [group.device, group.publisher, group.channel ?? "", group.detail].some((text) =>
        text.toLowerCase().includes(words),
      ),
  );
}

export const reasonsOf = (groups: readonly RejectedGroup[]): string[] =>
  [...new Set(groups.map((group) => group.reason))].sort();

/** What a group is about, for a replay or a dismissal. */
export const chosenOf = (group: Pick<RejectedGroup, "reason" | "device" | "channel">) => ({
  reasons: [group.reason],
  devices: [group.device],
  ...(group.channel === null ? {} : { channels: [group.channel] }),
});
