/** PURE: the registry as what is drawn: areas, networks, who feeds whom, assets. */
import { LANGUAGES, type District, type Language, type LocalName, type Relation, type Thing } from "../model";
import { tierOf, type Tier } from "./tiers";

/** [west, south, east, north], degrees. */
export type Box = [number, number, number, number];
export type LngLat = [number, number];

type Named = Record<`name_${Language}`, string>;
export interface AssetProperties extends Named {
  key: string;
  domain: string;
  district: string;
  status: Thing["status"];
  tier: Tier;
}

export interface CityFeatures {
  districts: GeoJSON.FeatureCollection;
  /** One point a district, where its name is written. */
  places: GeoJSON.FeatureCollection<GeoJSON.Point>;
  networks: GeoJSON.FeatureCollection;
  feeds: GeoJSON.FeatureCollection<GeoJSON.LineString>;
  assets: GeoJSON.FeatureCollection<GeoJSON.Point>;
  box: Box | null;
}

export function featuresOf(
  districts: Iterable<District>,
  things: ReadonlyMap<string, Thing>,
  relations: readonly Relation[],
): CityFeatures {
  const areas = [...districts].filter((district) => district.area !== null);
  const all = [...things.values()];
  const city = {
    districts: collection(areas.map((district) => areaOf(district))),
    places: collection(areas.map((district) => placeOf(district, areas))),
    networks: collection(all.filter(isNetwork).map((thing) => feature(propertiesOf(thing), thing.geometry!))),
    feeds: collection(feedsOf(relations, things)),
    assets: collection(
      all
        .filter((thing) => !isNetwork(thing))
        .map((thing) => feature(propertiesOf(thing), point(whereIs(thing)))),
    ),
  };
  return { ...city, box: boxOf([city.districts, city.networks, city.assets]) };
}

/** A road, main, line or collector: drawn as its course, not as a dot. */
export function isNetwork(thing: Thing): boolean {
  return thing.geometry?.type === "LineString" || thing.geometry?.type === "MultiLineString";
}

export function whereIs(thing: Thing): LngLat {
  return [thing.longitude, thing.latitude];
}

export function collection<Shape extends GeoJSON.Geometry>(
  features: GeoJSON.Feature<Shape>[],
): GeoJSON.FeatureCollection<Shape> {
  return { type: "FeatureCollection", features };
}

export function feature<Shape extends GeoJSON.Geometry>(
  properties: object,
  geometry: Shape,
): GeoJSON.Feature<Shape> {
  return { type: "Feature", properties: { ...properties }, geometry };
}

export function point(coordinates: LngLat): GeoJSON.Point {
  return { type: "Point", coordinates };
}

/** The names side by side, so that another language is only another property to read. */
export function names(name: LocalName): Named {
  return Object.fromEntries(LANGUAGES.map((language) => [`name_${language}`, name[language]])) as Named;
}

function propertiesOf(thing: Thing): AssetProperties {
  const { key, domain, district, status } = thing;
  return { key, domain, district, status, tier: tierOf(thing.kind), ...names(thing.name) };
}

function areaOf(district: District): GeoJSON.Feature {
  return feature({ key: district.key }, district.area!);
}

/** A district's name stands beside it where nothing else is, else in its middle. */
function placeOf(district: District, all: readonly District[]): GeoJSON.Feature<GeoJSON.Point> {
  const largest = ringsOf(district)
    .map((ring) => ({ ring, ...centroidOf(ring) }))
    .sort((one, other) => other.size - one.size)[0];
  const [x, y] = largest?.at ?? [0, 0];
  const across = crossings(largest?.ring ?? [], y);
  const [west, east] = [Math.min(...across), Math.max(...across)];
  const others = all.filter((other) => other !== district).flatMap(ringsOf);
  const free = (beside: (edge: number) => boolean): boolean =>
    across.length > 0 && !others.some((ring) => crossings(ring, y).some(beside));
  const [anchor, at] = free((edge) => edge < west + NEAR)
    ? ["right", west - NEAR]
    : free((edge) => edge > east - NEAR)
      ? ["left", east + NEAR]
      : ["center", x];
  return feature({ key: district.key, anchor, ...names(district.name) }, point([at as number, y]));
}

/** Degrees. */
const NEAR = 0.005;

function ringsOf({ area }: District): GeoJSON.Position[][] {
  const parts = area?.type === "Polygon" ? [area.coordinates] : (area?.coordinates ?? []);
  return parts.map((part) => part[0] ?? []);
}

/** Where a ring's edges cross a latitude, as longitudes. */
function crossings(ring: readonly GeoJSON.Position[], latitude: number): number[] {
  return ring.slice(1).flatMap(([x1 = 0, y1 = 0], index) => {
    const [x0 = 0, y0 = 0] = ring[index] ?? [];
    return y0 > latitude === y1 > latitude ? [] : [x0 + ((latitude - y0) / (y1 - y0)) * (x1 - x0)];
  });
}

/** Centre of gravity of a closed ring, and its area in square degrees. */
export function centroidOf(ring: readonly GeoJSON.Position[]): { at: LngLat; size: number } {
  let [twice, x, y] = [0, 0, 0];
  for (let index = 1; index < ring.length; index += 1) {
    const [x0 = 0, y0 = 0] = ring[index - 1] ?? [];
    const [x1 = 0, y1 = 0] = ring[index] ?? [];
    const cross = x0 * y1 - x1 * y0;
    twice += cross;
    x += (x0 + x1) * cross;
    y += (y0 + y1) * cross;
  }
  if (twice === 0) return { at: [ring[0]?.[0] ?? 0, ring[0]?.[1] ?? 0], size: 0 };
  return { at: [x / (3 * twice), y / (3 * twice)], size: Math.abs(twice) / 2 };
}

function feedsOf(
  relations: readonly Relation[],
  things: ReadonlyMap<string, Thing>,
): GeoJSON.Feature<GeoJSON.LineString>[] {
  return relations
    .filter((relation) => relation.kind === "feeds")
    .flatMap((relation) => feedOf(relation, things) ?? []);
}

/** The straight line between two things that stand at different points; null where there is none to draw. */
export function feedOf(
  relation: Relation,
  things: ReadonlyMap<string, Thing>,
): GeoJSON.Feature<GeoJSON.LineString> | null {
  const source = things.get(relation.source);
  const target = things.get(relation.target);
  if (!source || !target || isNetwork(source) || isNetwork(target)) return null;
  const [from, to] = [whereIs(source), whereIs(target)];
  if (from[0] === to[0] && from[1] === to[1]) return null;
  const { domain, district } = source;
  return feature(
    { source: source.key, target: target.key, domain, district },
    { type: "LineString", coordinates: [from, to] },
  );
}

/** The smallest box around everything; null: there is nothing. */
export function boxOf(collections: readonly GeoJSON.FeatureCollection[]): Box | null {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { features } of collections)
    for (const { geometry } of features) if ("coordinates" in geometry) widen(box, geometry.coordinates);
  return box[0] === Infinity ? null : box;
}

type Nested = readonly (number | Nested)[];

function widen(box: Box, coordinates: Nested): void {
  const [x, y] = coordinates;
  if (typeof x !== "number" || typeof y !== "number") {
    for (const inner of coordinates) widen(box, inner as Nested);
    return;
  }
  box[0] = Math.min(box[0], x);
  box[1] = Math.min(box[1], y);
  box[2] = Math.max(box[2], x);
  box[3] = Math.max(box[3], y);
}
