import { expect, test } from "vitest";
import type { MessageReport } from "./model";
import { contentOf, fateOf, numbersOf } from "./telling";

const message = (change: Partial<MessageReport>): MessageReport => ({
  kind: "message",
  received: { at_ms: 0, publisher: "p", topic: "t", message: "data", bytes: 1, qos: 1, payload: "" },
  decoded: { as: "data", seq: 0, epoch: 7, items: 2 },
  refused: [],
  ...change,
});

test("a message is told by its number and content; a birth has no items", () => {
  expect(contentOf(message({}))).toBe("data · seq 0 · epoch 7 · items 2");
  expect(contentOf(message({ decoded: { as: "birth", epoch: 1 } }))).toBe("birth · epoch 1");
});

test("fates that nothing met are not told", () => {
  const committed = { latency_ms: 3, batch: 9, stored: 1, rejected: 1 };
  expect(fateOf(message({ committed }))).toBe("stored 1, rejected 1");
  expect(fateOf(message({}))).toBe("");
});

test("a check's numbers leave out what is empty", () => {
  const numbers = { missing: [], unknown: ["U", "I"], first: 0, seen: null };
  expect(numbersOf({ check: "c", title: "", verdict: "failed", verdict_name: "", numbers })).toBe(
    "unknown U I, first 0",
  );
});
