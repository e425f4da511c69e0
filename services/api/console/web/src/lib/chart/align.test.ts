import { describe, expect, it } from "vitest";
import { aligned, alone, breaks, nearest, pointAt } from "./align";
import { emptyTrack, type Track } from "./track";

function track(times: number[], period = 5_000, resolution: Track["resolution"] = "raw"): Track {
  return {
    ...emptyTrack({ datastream: "a.b", resolution, period }, "value"),
    times,
    values: times.map((_, index) => index),
    low: times.map(() => -1),
    high: times.map(() => 99),
  };
}

describe("holes", () => {
  it("are longer than three periods, with room for a trembling clock", () => {
    expect(breaks(track([0, 5_000, 20_000, 35_500]))).toEqual([]);
    expect(breaks(track([0, 5_000, 21_000]))).toEqual([10_000]);
  });

  it("are longer than a bucket", () => {
    expect(breaks(track([0, 60_000, 180_000], 5_000, "1m"))).toEqual([120_000]);
    expect(breaks(track([0, 60_000, 240_000], 60_000, "1m"))).toEqual([]);
  });

  it("are not in nothing, nor in one point", () => {
    expect([breaks(track([])), breaks(track([7]))]).toEqual([[], []]);
  });
});

describe("several curves", () => {
  it("of none, or without points, are no table", () => {
    expect(aligned([])).toEqual({ times: [], curves: [] });
    expect(aligned([track([])]).times).toEqual([]);
  });

  it("share the times; another's moment is no hole, a pause is", () => {
    const { times, curves } = aligned([track([0, 5_000, 50_000]), track([2_000, 4_000, 6_000])]);
    expect(times).toEqual([0, 2_000, 4_000, 5_000, 6_000, 10_000, 50_000]);
    expect(curves[0]?.values).toEqual([0, undefined, undefined, 1, undefined, null, 2]);
    expect(curves[1]?.values).toEqual([undefined, 0, 1, undefined, 2, undefined, undefined]);
    expect(curves[0]?.low).toEqual([-1, undefined, undefined, -1, undefined, null, -1]);
  });

  it("rise strictly in time, whatever is joined", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const own = [7, 11, 13].map((step) =>
        track(Array.from({ length: 40 }, (_, index) => index * step * seed * 37 + (index > 20 ? 90_000 : 0))),
      );
      const { times, curves } = aligned(own);
      expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
      curves.forEach(({ values }, index) => {
        expect(values.length).toBe(times.length);
        expect(values.filter((value) => typeof value === "number")).toEqual(own[index]?.values);
      });
    }
  });
});

describe("the point at a moment", () => {
  it("is the nearest", () => {
    const times = [0, 10, 20];
    expect([-5, 0, 4, 5, 6, 19, 99].map((moment) => nearest(times, moment))).toEqual([0, 0, 0, 0, 1, 2, 2]);
    expect([nearest([], 5), nearest([3], 5)]).toEqual([-1, 0]);
  });

  it("is none in the middle of a pause", () => {
    const own = track([0, 5_000, 100_000]);
    expect([pointAt(own, 6_000), pointAt(own, 50_000), pointAt(own, 99_000)]).toEqual([1, -1, 2]);
    expect(pointAt(track([]), 0)).toBe(-1);
  });
});

describe("a value that no line leads to", () => {
  it.each([
    ["between holes", [null, 1, null, 2, 3, null], [1]],
    ["at either end", [1, null, 2, 3, null, 4], [0, 5]],
    ["whatever another curve reports", [1, undefined, null, undefined, 2, undefined, 3], [0]],
    ["the only one", [undefined, 7, undefined], [1]],
    ["none", [], []],
  ])("%s", (_name, column, indexes) => expect(alone(column)).toEqual(indexes));
});
