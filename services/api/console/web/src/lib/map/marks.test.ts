import { describe, expect, it } from "vitest";
import type { Alert, Thing } from "../model";
import { thing } from "./thing.fixture";
import { around, chosenFeatures, markFeatures, marksOf, newlyFiring } from "./marks";

const things = new Map<string, Thing>(["a", "b", "c"].map((key) => [key, thing(key)]));
const acknowledged = { at: "", by: "x", version: 1, note: null };

function alert(alert_id: number, more: Partial<Alert>): Alert {
  return {
    alert_id,
    state: "firing",
    severity: "low",
    thing: "a",
    acknowledged: null,
    ...more,
  } as Alert;
}

describe("marksOf", () => {
  it("marks a thing once, with the worst that still fires", () => {
    const marks = marksOf(
      [alert(1, { severity: "critical", state: "resolved" }), alert(2, { severity: "medium" }), alert(3, {})],
      things,
    );
    expect(marks).toHaveLength(1);
    expect(marks[0]).toMatchObject({ severity: "medium", state: "new", alert: 2, count: 3 });
  });

  it("puts the worst last, so that it is drawn on top", () => {
    const marks = marksOf(
      [
        alert(1, { thing: "a", severity: "critical" }),
        alert(2, { thing: "b", severity: "critical", acknowledged }),
        alert(3, { thing: "c", severity: "critical", state: "resolved" }),
      ],
      things,
    );
    expect(marks.map(({ state }) => state)).toEqual(["over", "known", "new"]);
    const ranks = markFeatures(marks).features.map(({ properties }) => Number(properties?.rank));
    expect(ranks).toEqual([...ranks].sort((one, other) => one - other));
  });

  it("leaves out what has no place", () =>
    expect(marksOf([alert(1, { thing: null }), alert(2, { thing: "gone" })], things)).toEqual([]));

  it("draws a picture for severity and state", () =>
    expect(markFeatures(marksOf([alert(1, { acknowledged })], things)).features[0]?.properties?.image).toBe(
      "low-known",
    ));
});

it("only what fires, is new and not acknowledged is told as new", () => {
  const alerts = [
    alert(1, { thing: "a" }),
    alert(2, { thing: "b" }),
    alert(3, { thing: "c", acknowledged }),
    alert(4, { thing: "c", state: "resolved" }),
    alert(5, { thing: null }),
  ];
  expect(newlyFiring(alerts, new Set([1]))).toEqual(["b"]);
});

it("shows a chosen thing with what feeds it, itself on top", () => {
  const all = new Map(things).set("d", thing("d", { longitude: 78 }));
  const relations = [
    { kind: "feeds" as const, source: "d", target: "a" },
    { kind: "feeds" as const, source: "d", target: "b" },
  ];
  const shown = chosenFeatures(all.get("a"), relations, all).features;
  expect(shown.map(({ geometry }) => geometry.type)).toEqual(["LineString", "Point"]);
  const course: GeoJSON.Geometry = {
    type: "LineString",
    coordinates: [
      [77, 43],
      [78, 44],
    ],
  };
  all.set("main", thing("main", { geometry: course }));
  const along = chosenFeatures(all.get("a"), [{ kind: "feeds", source: "a", target: "main" }], all).features;
  expect(along[0]).toMatchObject({ properties: { near: "main" }, geometry: course });
  expect(chosenFeatures(undefined, relations, all).features).toEqual([]);
});

it("knows both ends of every relation", () => {
  const relations = [
    { kind: "feeds" as const, source: "a", target: "b" },
    { kind: "feeds" as const, source: "b", target: "c" },
    { kind: "contains" as const, source: "d", target: "b" },
    { kind: "contains" as const, source: "b", target: "e" },
  ];
  expect(around("b", relations)).toEqual({ fedBy: ["a"], feeds: ["c"], within: ["d"], contains: ["e"] });
});
