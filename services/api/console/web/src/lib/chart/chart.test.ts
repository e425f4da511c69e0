import { describe, expect, it } from "vitest";
import { assets } from "../../words/assets";
import type { Alert, Datastream, ObservedProperty } from "../model";
import { timeLabels } from "./axis";
import { comparable, toggled, together } from "./choice";
import { csvOf } from "./csv";
import { drawn } from "./drawing";
import { episodesOf, extentOf } from "./scale";
import { Speech } from "./speech";
import { summaryOf } from "./summary";
import { emptyTrack, type Figure, type Track } from "./track";

const T0 = Date.parse("2026-11-22T08:00:00Z");

function track(
  values: (number | null)[],
  resolution: Track["resolution"] = "raw",
  figure: Figure = "value",
): Track {
  return {
    ...emptyTrack({ datastream: "pump.flow", resolution, period: 1_000 }, figure),
    times: values.map((_, index) => T0 + index * 1_000),
    values,
    low: values.map((value) => value && value - 1),
    high: values.map((value) => value && value + 1),
    counts: values.map((_, index) => index + 1),
  };
}

describe("in a few numbers", () => {
  it("is nothing where there is nothing", () => {
    expect(summaryOf(track([]), 0, Infinity)).toBeNull();
    expect(summaryOf(track([null, null]), 0, Infinity)).toBeNull();
    expect(summaryOf(track([1, 2]), 0, T0 - 1)).toBeNull();
  });

  it("weighs averages by what is in them, and knows their edges", () =>
    expect(summaryOf(track([10, 40, null], "1m", "avg"), T0, Infinity)).toEqual({
      count: 2,
      min: 9,
      mean: 30,
      max: 41,
      sum: 50,
      last: 40,
      lastTime: T0 + 1_000,
    }));

  it("of one point is that point", () =>
    expect(summaryOf(track([7]), T0, T0)).toMatchObject({ count: 1, mean: 7, last: 7 }));
});

describe("CSV", () => {
  it("has a row for every point in the range", () =>
    expect(csvOf([{ track: track([1.5, null, 2]), unit: "m3/h" }], T0, T0 + 2_000)).toBe(
      "datastream,unit,resolution,figure,time,value,min,max,codes\r\n" +
        "pump.flow,m3/h,raw,value,2026-11-22T08:00:00.000Z,1.5,,,\r\n" +
        "pump.flow,m3/h,raw,value,2026-11-22T08:00:02.000Z,2,,,\r\n",
    ));

  it("quotes what has to be, and says the codes", () => {
    const [, row] = csvOf([{ track: track([5]), unit: '"x",y', codes: () => "door fire" }], T0, T0).split(
      "\r\n",
    );
    expect(row).toBe('pump.flow,"""x"",y",raw,value,2026-11-22T08:00:00.000Z,5,,,door fire');
  });

  it("has the edges of buckets", () =>
    expect(csvOf([{ track: track([5], "1m", "avg"), unit: "1" }], T0, T0)).toContain(",5,4,6,\r\n"));

  it("of nothing is its head", () => expect(csvOf([], 0, 1).split("\r\n")).toHaveLength(2));
});

describe("height", () => {
  it("has room around the values, but none under zero for what is not negative", () => {
    expect(extentOf({ min: 100, max: 200 }, [], false)).toEqual({ min: 92, max: 208 });
    expect(extentOf({ min: 1, max: 200 }, [], false).min).toBe(0);
  });

  it("takes in a limit that is near, not one that would flatten the curve", () => {
    expect(extentOf({ min: 100, max: 200 }, [250, 4_000], false).max).toBeCloseTo(262);
    expect(extentOf({ min: 100, max: 200 }, [-5_000], false).min).toBe(92);
  });

  it("is something for a flat curve, for zero and for nothing", () => {
    for (const extent of [
      extentOf({ min: 50, max: 50 }, [], false),
      extentOf({ min: 0, max: 0 }, [], true),
      extentOf({ min: -3, max: -3 }, [], false),
      extentOf(null, [], false),
      extentOf({ min: Number.NaN, max: Number.NaN }, [], false),
    ])
      expect(extent.max).toBeGreaterThan(extent.min);
  });

  it("of bars begins at zero", () => expect(extentOf({ min: 5, max: 9 }, [], true).min).toBe(0));
});

describe("episodes", () => {
  const alert = (state: Alert["state"], starts: number, ends: number | null): Alert =>
    ({
      alert_id: 1,
      severity: "high",
      state,
      starts_at: new Date(starts).toISOString(),
      ends_at: ends === null ? null : new Date(ends).toISOString(),
    }) as Alert;
  const spans = (one: Alert): [number, number][] =>
    episodesOf([one], { from: T0, to: T0 + 100 }, T0 + 50).map(({ from, to }) => [from, to]);

  it("are cut to the range; one that lasts goes on until now", () => {
    expect(spans(alert("resolved", T0 - 10, T0 + 20))).toEqual([[T0, T0 + 20]]);
    expect(spans(alert("firing", T0 + 10, null))).toEqual([[T0 + 10, T0 + 50]]);
  });

  it("are not what never fired, nor what is outside", () => {
    expect(spans(alert("pending", T0, null))).toEqual([]);
    expect(spans(alert("resolved", T0 - 20, T0 - 10))).toEqual([]);
    expect(spans(alert("resolved", T0 + 200, T0 + 300))).toEqual([]);
  });
});

describe("times along the axis", () => {
  const hours = (...iso: string[]): number[] => iso.map((one) => Date.parse(one));

  it("are the city's, and say the date where it changes", () =>
    expect(
      timeLabels(
        hours("2026-11-22T18:30Z", "2026-11-22T19:00Z", "2026-11-22T19:30Z"),
        1_800_000,
        "Asia/Almaty",
        "ru",
      ),
    ).toEqual(["23:30", "00:00\n23 нояб.", "00:30"]));

  it("have seconds where they are close, and only dates where they are far", () => {
    expect(timeLabels(hours("2026-11-22T08:00:05Z"), 5_000, "Asia/Almaty", "en")).toEqual(["13:00:05"]);
    expect(timeLabels(hours("2026-11-21T19:00Z"), 86_400_000, "Asia/Almaty", "en")).toEqual(["22 Nov"]);
    expect(timeLabels([], 1_000, "Asia/Almaty", "kk")).toEqual([]);
  });
});

describe("together in one chart", () => {
  const stream = (key: string, unit = "bar", kind = "measurement") => ({ key, unit, kind }) as Datastream;
  const all = [
    ...["a", "b", "c", "d", "e"].map((key) => stream(key)),
    stream("t", "Cel"),
    stream("s", "1", "state"),
    stream("r", "1", "state"),
    stream("n", "bar", "counter"),
  ];

  it("are measurements of one unit, four at most", () => {
    expect(toggled(["a"], "b", all)).toEqual(["a", "b"]);
    expect(toggled(["a", "b", "c", "d"], "e", all)).toEqual(["b", "c", "d", "e"]);
    expect(toggled(["a", "b"], "t", all)).toEqual(["t"]);
    expect(toggled(["a"], "n", all)).toEqual(["n"]);
    expect(toggled(["s"], "r", all)).toEqual(["r"]);
    expect(comparable(stream("a"), stream("t", "Cel"))).toBe(false);
  });

  it("are taken away one by one, but never the last", () => {
    expect(toggled(["a", "b"], "a", all)).toEqual(["b"]);
    expect(toggled(["a"], "a", all)).toEqual(["a"]);
  });

  it("are of an address what goes with its first", () =>
    expect(together(["a", "t", "b", "b?", "c", "d", "e"], all)).toEqual(["a", "b", "c", "d"]));
});

describe("a drawing", () => {
  const marks = { limits: [], plausible: [], episodes: [] };

  it("counts the points that are in it", () => {
    const span = { from: T0, to: T0 + 1_000 };
    expect(drawn("measurement", [track([1, null, 3]), track([1, 2, 3])], [], span, marks).points).toBe(3);
    expect(drawn("measurement", [], [], span, marks)).toMatchObject({ points: 0, lanes: [], runs: [] });
  });
});

describe("in words", () => {
  const property = {
    key: "water_flow",
    kind: "measurement",
    unit: "m3/h",
    name: { kk: "Су шығыны", ru: "Расход воды", en: "Water flow" },
    codes: [],
  } as unknown as ObservedProperty;
  const stream = {
    key: "pump.flow",
    thing: "pump",
    observed_property: "water_flow",
    unit: "m3/h",
  } as Datastream;
  const properties = new Map([["water_flow", property]]);
  const span = { from: T0, to: T0 + 10_000 };

  it("says its numbers with their unit", () => {
    const speech = new Speech([stream], properties, "en", assets.en);
    expect(speech.summary(track([1, 2, 6]), span)).toBe(
      "Water flow: min 0 m³/h, mean 3 m³/h, max 7 m³/h, last 6 m³/h.",
    );
    expect(speech.at(track([5], "1m", "avg"), 0)).toBe("5 m³/h (4 … 6)");
    expect(speech.at(track([5], "1h", "delta"), 0)).toBe("5 m³/h per hour");
    expect(speech.at(track([5]), -1)).toBe("no data");
  });

  it("says how much a counter rose in all", () =>
    expect(new Speech([stream], properties, "ru", assets.ru).digest(track([1, 2], "1m", "delta"), span)).toBe(
      "всего 3 м³/ч",
    ));

  it("tells two of the same property apart", () => {
    const other = { ...stream, key: "pump.flow_2" };
    expect(new Speech([stream, other], properties, "kk", assets.kk).name("pump.flow_2")).toBe(
      "Су шығыны (flow_2)",
    );
  });
});
