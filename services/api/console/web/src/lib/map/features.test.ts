import { describe, expect, it } from "vitest";
import type { District, Thing } from "../model";
import { boxOf, centroidOf, collection, feature, featuresOf, point } from "./features";
import { name, thing } from "./thing.fixture";

const things = (...all: Thing[]): Map<string, Thing> => new Map(all.map((one) => [one.key, one]));
const course: GeoJSON.LineString = {
  type: "LineString",
  coordinates: [
    [77, 43],
    [77.2, 43.9],
  ],
};
const square: District = {
  district_id: 1,
  key: "gate",
  name: name("Gate"),
  area: {
    type: "Polygon",
    coordinates: [
      [
        [76, 43],
        [78, 43],
        [78, 45],
        [76, 45],
        [76, 43],
      ],
    ],
  },
};

describe("featuresOf", () => {
  it("draws a line as a network and everything else as an asset, each once", () => {
    const city = featuresOf(
      [],
      things(thing("a"), thing("b"), thing("main", { geometry: course, kind: "water_main" })),
      [],
    );
    expect(city.assets.features.map(({ properties }) => properties?.key)).toEqual(["a", "b"]);
    expect(city.networks.features.map(({ properties }) => properties?.key)).toEqual(["main"]);
    expect(city.assets.features[0]?.properties).toMatchObject({ tier: 3, name_kk: "a kk", name_en: "a" });
  });

  it("leaves out a district without an area", () =>
    expect(featuresOf([square, { ...square, area: null }], new Map(), []).districts.features).toHaveLength(
      1,
    ));

  it("writes a district's name beside it, on the side where no other district is, else in its middle", () => {
    const moved = (key: string, by: number): District => ({
      ...square,
      key,
      area: {
        type: "Polygon",
        coordinates: [(square.area as GeoJSON.Polygon).coordinates[0]!.map(([x = 0, y = 0]) => [x + by, y])],
      },
    });
    const { places } = featuresOf([moved("west", 0), moved("middle", 2), moved("east", 4)], new Map(), []);
    const placed = places.features.map(({ properties, geometry }) => [
      properties?.anchor,
      Math.round(geometry.coordinates[0] ?? 0),
      geometry.coordinates[1],
    ]);
    expect(placed).toEqual([
      ["right", 76, 44],
      ["center", 79, 44],
      ["left", 82, 44],
    ]);
  });

  it("joins two points that feed each other, but neither the same place nor a line", () => {
    const all = things(
      thing("a"),
      thing("b", { longitude: 78 }),
      thing("same"),
      thing("main", { geometry: course }),
    );
    const feeds = (source: string, target: string) => ({ kind: "feeds" as const, source, target });
    const city = featuresOf([], all, [
      feeds("a", "b"),
      feeds("a", "same"),
      feeds("a", "main"),
      feeds("a", "gone"),
      { kind: "contains", source: "a", target: "b" },
    ]);
    expect(city.feeds.features.map(({ properties }) => properties?.target)).toEqual(["b"]);
  });

  it("has no box where there is nothing", () => expect(featuresOf([], new Map(), []).box).toBeNull());
});

it("boxOf holds every point of every shape", () => {
  const box = boxOf([collection([feature({}, square.area!)]), collection([feature({}, point([80, 42]))])]);
  expect(box).toEqual([76, 42, 80, 45]);
});

it("centroidOf does not depend on the way round, and survives a ring without area", () => {
  const ring = square.area!.coordinates[0] as GeoJSON.Position[];
  expect(centroidOf([...ring].reverse())).toEqual({ at: [77, 44], size: 4 });
  expect(
    centroidOf([
      [1, 2],
      [1, 2],
    ]),
  ).toEqual({ at: [1, 2], size: 0 });
});
