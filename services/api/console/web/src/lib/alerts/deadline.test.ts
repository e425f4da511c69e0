import { describe, expect, it } from "vitest";
import { alertOf } from "./alerts.fixture";
import { deadlineOf } from "./deadline";

const FIRED = Date.parse("2026-11-22T08:00:10Z");
const MINUTE = 60_000;

describe("deadlineOf", () => {
  it("counts from when the alert fired", () => {
    expect(deadlineOf(alertOf(), FIRED + 3 * MINUTE)).toEqual({
      left: 7 * MINUTE,
      urgent: false,
      overdue: false,
    });
  });

  it("is urgent in the last quarter, and overdue from the end on", () => {
    const at = (minutes: number) => deadlineOf(alertOf(), FIRED + minutes * MINUTE);
    expect(at(7.4)?.urgent).toBe(false);
    expect(at(7.5)).toMatchObject({ urgent: true, overdue: false });
    expect(at(10)).toMatchObject({ left: 0, overdue: true });
    expect(at(12)).toMatchObject({ left: -2 * MINUTE, urgent: true, overdue: true });
  });

  it("waits for nobody once the alert is acknowledged, over, or has not fired", () => {
    const acknowledged = { at: "2026-11-22T08:01:00Z", by: "dana", version: 2, note: null };
    for (const change of [
      { acknowledged },
      { state: "resolved" as const },
      { state: "pending" as const, detected_at: null },
      { respond_within: "soon" },
    ])
      expect(deadlineOf(alertOf(change), FIRED)).toBeNull();
  });
});
