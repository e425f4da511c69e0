import { describe, expect, it } from "vitest";
import type { ObservedProperty, Severity, Thing, Value } from "../model";
import {
  abnormal,
  chosen,
  EVERYTHING,
  headline,
  isStale,
  readChoice,
  writtenChoice,
  type Choice,
} from "./list";
import { rowsAt } from "./window";

function thing(key: string, more: Partial<Thing> = {}): Thing {
  return {
    key,
    kind: "pump",
    domain: "water",
    district: "gate",
    status: "operating",
    name: { kk: `Сорғы ${key}`, ru: `Насос ${key}`, en: `Pump ${key}` },
    ...more,
  } as Thing;
}

const THINGS = [
  thing("p-10"),
  thing("p-9", { district: "golden" }),
  thing("air-1", {
    kind: "air_station",
    domain: "environment",
    name: { kk: "Ауа бекеті", ru: "Пост ВОЗДУХА", en: "Air" },
  }),
  thing("p-1", { status: "planned" }),
];
const WORST = new Map<string, Severity>([
  ["p-9", "low"],
  ["p-1", "critical"],
]);

function found(change: Partial<Choice>): string[] {
  const text = (one: Thing, column: string): string =>
    column === "name" ? one.name.ru : column === "kind" ? one.kind : one.district;
  const around = { language: "ru", worst: WORST, text } as const;
  return chosen(THINGS, { ...EVERYTHING, ...change }, around).map((one) => one.key);
}

describe("the list", () => {
  it("begins with the worst alerts, then goes by name, numbers as numbers", () =>
    expect(found({})).toEqual(["p-1", "p-9", "p-10", "air-1"]));

  it("finds words in the key and in all three languages, in any case", () => {
    expect(found({ q: "сорғы P-9" })).toEqual(["p-9"]);
    expect(found({ q: "воздуха" })).toEqual(["air-1"]);
    expect(found({ q: "AIR-1" })).toEqual(["air-1"]);
    expect(found({ q: "  " })).toHaveLength(4);
    expect(found({ q: "nothing" })).toEqual([]);
  });

  it("narrows by each filter, and by all together", () => {
    expect(found({ domain: "environment" })).toEqual(["air-1"]);
    expect(found({ kind: "pump", district: "gate" })).toEqual(["p-1", "p-10"]);
    expect(found({ status: "planned" })).toEqual(["p-1"]);
    expect(found({ alerting: true, district: "golden" })).toEqual(["p-9"]);
  });

  it("sorts by a column, both ways", () => {
    expect(found({ sort: "name" })).toEqual(["p-1", "p-9", "p-10", "air-1"]);
    expect(found({ sort: "name", descending: true })).toEqual(["air-1", "p-10", "p-9", "p-1"]);
    expect(found({ sort: "kind" })[0]).toBe("air-1");
  });

  it("comes back from the address as it went", () => {
    for (const choice of [
      EVERYTHING,
      { ...EVERYTHING, q: "су & ауа=1", domain: "water", alerting: true, sort: "kind", descending: true },
    ] as Choice[])
      expect(readChoice(writtenChoice(choice))).toEqual(choice);
    expect(writtenChoice(EVERYTHING)).toBe("");
    expect(readChoice("?sort=bogus&show=x")).toEqual(EVERYTHING);
  });
});

describe("what stands for a thing", () => {
  const NAMES = { kk: "", ru: "", en: "" };
  const properties = new Map(
    [
      { key: "flow", kind: "measurement", domain: "water", codes: [] },
      { key: "pressure", kind: "measurement", domain: "water", codes: [] },
      { key: "battery", kind: "measurement", domain: "platform", codes: [] },
      {
        key: "state",
        kind: "state",
        domain: "water",
        codes: [{ value: 1, key: "tripped", name: NAMES, abnormal: true }],
      },
    ].map((property) => [property.key, property as unknown as ObservedProperty]),
  );
  const value = (id: number, property: string, codes?: string[]): Value =>
    ({ datastream_id: id, datastream: `p.${id}`, observed_property: property, codes }) as Value;
  const by = (...alerting: string[]) => ({ domain: "water", properties, alerting: new Set(alerting) });
  const ids = (values: Value[]): number[] => values.map((one) => one.datastream_id);

  it("is measured of its own domain, each property once, as in the catalogue", () => {
    const values = [value(1, "battery"), value(2, "pressure"), value(3, "flow"), value(4, "flow")];
    expect(ids(headline(values, by(), 2))).toEqual([3, 2]);
    expect(ids(headline(values, by(), 9))).toEqual([3, 2, 1, 4]);
  });

  it("is first of all what alerts, or is abnormal", () => {
    const values = [value(1, "flow"), value(2, "battery"), value(3, "state", ["tripped"])];
    expect(ids(headline(values, by(), 2))).toEqual([3, 1]);
    expect(ids(headline(values, by("p.2"), 2))).toEqual([2, 3]);
    expect(abnormal(value(3, "state", ["running"]), properties.get("state"))).toBe(false);
  });

  it("is nothing where nothing is known", () => {
    expect(headline([], by(), 2)).toEqual([]);
    expect(ids(headline([value(1, "unknown")], by(), 2))).toEqual([1]);
  });
});

describe("stale", () => {
  it("is what has not come for three periods", () => {
    expect([isStale(30_000, 10), isStale(30_001, 10)]).toEqual([false, true]);
    expect(isStale(4_000, 1)).toBe(false);
  });
});

describe("rows on the screen", () => {
  it("are those in view and some beyond, never outside the list", () => {
    expect(rowsAt(0, 500, 50, 2_000)).toEqual({ first: 0, end: 24 });
    expect(rowsAt(-300, 500, 50, 5)).toEqual({ first: 0, end: 5 });
    expect(rowsAt(1e9, 500, 50, 20)).toEqual({ first: 20, end: 20 });
    expect(rowsAt(0, 500, 50, 0)).toEqual({ first: 0, end: 0 });
  });

  it("cover the view wherever it is, and are few", () => {
    for (let top = 0; top < 100_000 - 500; top += 333) {
      const { first, end } = rowsAt(top, 500, 50, 2_000);
      expect(first * 50).toBeLessThanOrEqual(top);
      expect(end * 50).toBeGreaterThanOrEqual(Math.min(top + 500, 100_000));
      expect(end - first).toBeLessThan(50);
    }
  });
});
