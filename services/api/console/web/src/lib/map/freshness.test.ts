import { describe, expect, it } from "vitest";
import type { Value } from "../model";
import { Freshness } from "./freshness";

const START = Date.parse("2026-11-22T08:00:00Z");
const at = (seconds: number): number => START + seconds * 1_000;

function value(datastream_id: number, seconds: number): [string, Value] {
  return [
    String(datastream_id),
    { datastream_id, phenomenon_time: new Date(at(seconds)).toISOString() } as Value,
  ];
}

const cadences = [
  { datastream_id: 1, thing: "fast", period_seconds: 5 },
  { datastream_id: 2, thing: "mixed", period_seconds: 5 },
  { datastream_id: 3, thing: "mixed", period_seconds: 600 },
];

describe("Freshness", () => {
  it("calls a thing silent after three periods and the way", () => {
    const freshness = new Freshness(cadences, START);
    const values = () => new Map([value(1, 0)]);
    expect(freshness.silent(at(44), values).has("fast")).toBe(false);
    expect(freshness.silent(at(46), values).has("fast")).toBe(true);
  });

  it("is told that values moved, and only then looks again", () => {
    const freshness = new Freshness(cadences, START);
    let asked = 0;
    let heard = 0;
    const values = () => {
      asked += 1;
      return new Map([value(1, heard)]);
    };
    freshness.silent(at(0), values);
    asked = 0;
    heard = 60;
    expect(freshness.silent(at(70), values).has("fast")).toBe(true);
    expect(asked).toBe(0);
    freshness.moved(["fast", "unknown"]);
    expect(freshness.silent(at(70), values).has("fast")).toBe(false);
    expect(asked).toBe(1);
  });

  it("waits for the slowest: one overdue datastream is not silence", () => {
    const freshness = new Freshness(cadences, START);
    const values = () => new Map([value(2, 0), value(3, 0)]);
    expect(freshness.silent(at(600), values).has("mixed")).toBe(false);
    expect(freshness.silent(at(1_900), values).has("mixed")).toBe(true);
  });

  it("gives what was never heard a moment, and never speaks of things that do not report", () => {
    const freshness = new Freshness(cadences, START);
    const none = () => new Map();
    expect(freshness.silent(at(10), none)).toEqual(new Set());
    expect(freshness.silent(at(31), none)).toEqual(new Set(["fast", "mixed"]));
  });
});
