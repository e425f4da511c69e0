import { describe, expect, it } from "vitest";
import type { Quality } from "../model";
import {
  addBuckets,
  addLive,
  addObservations,
  dropBefore,
  emptyTrack,
  figureOf,
  MOST_POINTS,
  unfollowed,
  type Figure,
  type Sums,
  type Track,
} from "./track";

const START = Date.parse("2026-11-22T08:00:00Z");
const at = (seconds: number): number => START + seconds * 1_000;
const iso = (seconds: number): string => new Date(at(seconds)).toISOString();

function raw(...values: (readonly [number, number, Quality?])[]): Track {
  const track = emptyTrack({ datastream: "a.b", resolution: "raw", period: 5_000 }, "value");
  addObservations(
    track,
    values.map(([seconds, result, quality = "good"]) => ({ phenomenon_time: iso(seconds), result, quality })),
  );
  return track;
}

function minutes(figure: Figure, ...sums: Sums[]): Track {
  const track = emptyTrack({ datastream: "a.b", resolution: "1m", period: 5_000 }, figure);
  addBuckets(track, sums, []);
  return track;
}

const lengths = (track: Track): number[] =>
  [track.times, track.values, track.low, track.high, track.counts, track.readings].map((one) => one.length);

describe("single values", () => {
  it("of none is an empty curve", () => expect(lengths(raw())).toEqual([0, 0, 0, 0, 0, 0]));

  it("that failed or are missing are holes; suspect ones are shown", () =>
    expect(
      raw([0, 1], [5, 2, "fail"], [10, 3, "missing"], [15, 4, "suspect"], [20, Number.NaN]).values,
    ).toEqual([1, null, null, 4, null]));

  it("are appended live if they are newer", () => {
    const track = raw([0, 1]);
    expect(addLive(track, at(0), 9, "good")).toBe(false);
    expect(addLive(track, at(-5), 9, "good")).toBe(false);
    expect(addLive(track, at(5), 2, "good")).toBe(true);
    expect(addLive(track, at(10), 3, "fail")).toBe(true);
    expect(track.values).toEqual([1, 2, null]);
  });

  it("can be appended to nothing", () => {
    const track = raw();
    addLive(track, at(0), 1, "good");
    expect(track.values).toEqual([1]);
  });

  it("go when they are too old, or too many, all columns alike", () => {
    const track = raw([0, 1], [5, 2], [10, 3]);
    dropBefore(track, at(5));
    expect(track.values).toEqual([2, 3]);
    for (let second = 0; second < MOST_POINTS + 10; second += 1)
      addLive(track, at(20 + second), second, "good");
    dropBefore(track, at(0));
    expect(lengths(track)).toEqual(new Array(6).fill(MOST_POINTS));
    expect(track.values.at(-1)).toBe(MOST_POINTS + 9);
    dropBefore(track, Infinity);
    expect(lengths(track)).toEqual(new Array(6).fill(0));
  });
});

describe("buckets", () => {
  it("show what the catalogue allows", () =>
    expect(
      [["avg", "min", "max"], ["max"], ["last", "min", "max"], ["delta", "last"], []].map(figureOf),
    ).toEqual(["avg", "max", "last", "delta", "last"]));

  it("take live values into the one that is not over", () => {
    const track = minutes("avg", { start: iso(0), count: 3, avg: 10, min: 8, max: 12 });
    addLive(track, at(30), 14, "good");
    expect([track.values, track.low, track.high, track.counts]).toEqual([[11], [8], [14], [4]]);
    addLive(track, at(61), 5, "good");
    expect([track.times, track.values, track.low]).toEqual([
      [at(0), at(60)],
      [11, 5],
      [8, 5],
    ]);
  });

  it("pass over live values that are bad, or of a bucket before", () => {
    const track = minutes("avg", { start: iso(60), count: 1, avg: 10, min: 10, max: 10 });
    expect(addLive(track, at(30), 14, "good")).toBe(false);
    expect(addLive(track, at(70), 14, "fail")).toBe(false);
    expect(track.values).toEqual([10]);
  });

  it("count a counter's rise, and a fall as a reset", () => {
    const track = minutes("delta", { start: iso(0), count: 2, delta: 4, last: 100 });
    addLive(track, at(30), 103, "good");
    expect(track.values).toEqual([7]);
    addLive(track, at(65), 104, "good");
    addLive(track, at(70), 2, "good");
    expect(track.values).toEqual([7, 3]);
  });

  it("count what a counter shows at the end of a bucket as risen in it", () => {
    const track = minutes("delta", { start: iso(0), count: 2, delta: 4, last: 100 });
    for (const [seconds, shown] of [
      [60, 103],
      [120, 105],
    ] as const)
      addLive(track, at(seconds), shown, "good");
    expect([track.times, track.values]).toEqual([
      [at(0), at(60)],
      [7, 2],
    ]);
  });

  it("begin a counter at no rise where nothing was before", () => {
    const track = minutes("delta");
    addLive(track, at(0), 5_000, "good");
    expect(track.values).toEqual([0]);
  });

  it("keep the greatest and the least", () => {
    const greatest = minutes("max", { start: iso(0), count: 1, max: 5 });
    const least = minutes("min", { start: iso(0), count: 1, min: 5 });
    for (const value of [3, 8, 4])
      for (const track of [greatest, least]) addLive(track, at(10), value, "good");
    expect([greatest.values, least.values]).toEqual([[8], [3]]);
  });

  it("of states and of days are read again instead", () => {
    const states = emptyTrack({ datastream: "a.b", resolution: "1m", period: 5_000 }, "last");
    const code = { value: 3, key: "day", name: { kk: "", ru: "", en: "" }, abnormal: false };
    addBuckets(states, [{ start: iso(0), count: 1, last: 3, duration: { day: 45 } }], [code]);
    expect(states.shares).toEqual([{ day: 0.75 }]);
    expect([unfollowed(states), addLive(states, at(30), 1, "good")]).toEqual([true, false]);
    const days = emptyTrack({ datastream: "a.b", resolution: "1d", period: 5_000 }, "avg");
    expect([unfollowed(days), unfollowed(raw()), unfollowed(minutes("avg"))]).toEqual([true, false, false]);
  });
});
