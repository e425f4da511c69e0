import { expect, test } from "vitest";
import { chosenOf, reasonsOf, shown } from "./grouping";
import type { RejectedGroup } from "./model";

const group = (change: Partial<RejectedGroup>): RejectedGroup => ({
  reason: "range",
  publisher: "gw-1",
  device: "meter-1",
  channel: "voltage",
  refused: 3,
  open: 3,
  first_at: "2026-11-22T04:00:00Z",
  last_at: "2026-11-22T05:00:00Z",
  newest_id: 7,
  detail: "voltage is 9999",
  ...change,
});
const all = { reason: "", words: "", settled: false };

test("what is settled is shown when it is asked for", () => {
  const groups = [group({}), group({ open: 0 })];
  expect(shown(groups, all)).toHaveLength(1);
  expect(shown(groups, { ...all, settled: true })).toHaveLength(2);
});

test("groups are found by reason and by any word of theirs", () => {
  const groups = [group({}), group({ reason: "malformed", device: "pump-2", channel: null })];
  expect(reasonsOf(groups)).toEqual(["malformed", "range"]);
  expect(shown(groups, { ...all, reason: "malformed" })).toHaveLength(1);
  expect(shown(groups, { ...all, words: " PUMP" })[0]?.device).toBe("pump-2");
  expect(shown(groups, { ...all, words: "nothing" })).toEqual([]);
});

test("a group without a channel is chosen without one", () => {
  expect(chosenOf(group({}))).toEqual({ reasons: ["range"], devices: ["meter-1"], channels: ["voltage"] });
  expect(chosenOf(group({ channel: null }))).not.toHaveProperty("channels");
});
