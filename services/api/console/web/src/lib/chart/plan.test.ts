import { describe, expect, it } from "vitest";
import { bucketStart, coarser, lengthOf, resolutionFor, type Bucket } from "./plan";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** docs/open-data.md, "Buckets". */
const LONGEST: Record<Bucket, number> = {
  "1m": 2 * DAY,
  "5m": 8 * DAY,
  "15m": 31 * DAY,
  "1h": 92 * DAY,
  "1d": 366 * DAY,
  "1w": 366 * DAY,
};

describe("resolution", () => {
  it.each([
    ["measurement", HOUR, 1_000, "raw"],
    ["measurement", 6 * HOUR, 5_000, "raw"],
    ["measurement", 6 * HOUR, 2_000, "1m"],
    ["measurement", 7 * DAY, 5_000, "5m"],
    ["measurement", 30 * DAY, 5_000, "1h"],
    ["measurement", 30 * DAY, 15 * MINUTE, "raw"],
    ["measurement", 32 * DAY, DAY, "1d"],
    ["state", 24 * HOUR, 5_000, "1m"],
    ["bits", 15 * MINUTE, 5_000, "raw"],
    ["counter", 15 * MINUTE, 10_000, "1m"],
    ["counter", 24 * HOUR, 60_000, "15m"],
    ["counter", 15 * MINUTE, 15 * MINUTE, "15m"],
    ["counter", 7 * DAY, 60_000, "1h"],
    ["counter", 30 * DAY, 60_000, "1d"],
    ["counter", 366 * DAY, 60_000, "1w"],
  ] as const)("of a %s over %d ms, every %d ms: %s", (kind, span, period, wanted) =>
    expect(resolutionFor(kind, span, period)).toBe(wanted),
  );

  it("never asks for more than the API gives", () => {
    for (const kind of ["measurement", "counter", "state", "bits"] as const)
      for (let span = 10_000; span <= 366 * DAY; span *= 1.37)
        for (const period of [1_000, 60_000, HOUR, 8 * DAY]) {
          const resolution = resolutionFor(kind, span, period);
          if (resolution === "raw") expect(span).toBeLessThanOrEqual(31 * DAY);
          else expect(span).toBeLessThanOrEqual(LONGEST[resolution]);
          const points = span / (resolution === "raw" ? period : lengthOf(resolution));
          expect(points).toBeLessThanOrEqual(5_000);
        }
  });

  it("has a bucket for a range with more values than were expected", () =>
    expect([coarser(HOUR), coarser(7 * DAY)]).toEqual(["1m", "5m"]));
});

describe("the bucket of a moment", () => {
  it("begins at a whole number of its length, UTC", () =>
    expect(bucketStart(Date.parse("2026-11-22T08:59:59.999Z"), "15m")).toBe(
      Date.parse("2026-11-22T08:45:00Z"),
    ));

  it("cannot be told of days and weeks, which are the city's", () =>
    expect([bucketStart(0, "1d"), bucketStart(0, "1w")]).toEqual([null, null]));
});
