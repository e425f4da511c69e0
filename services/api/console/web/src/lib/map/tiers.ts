/** PURE: how much a kind of thing matters on a map of the whole city. */

/** 1: seen from afar; 2: main equipment; 3: parts; 4: only close up, or while something is wrong with it. */
export type Tier = 1 | 2 | 3 | 4;

const TIERS: Record<string, Tier> = {
  substation: 1,
  intake: 1,
  reservoir: 1,
  pump_station: 1,
  wastewater_works: 1,
  agds: 1,
  pump: 3,
  well: 3,
  measuring_point: 3,
  transformer: 3,
  transformer_point: 3,
  feeder: 3,
  line: 3,
  carriageway: 3,
  aeration_tank: 3,
  clarifier: 3,
  inlet: 3,
  outlet: 3,
  metering_point: 4,
};

/** A kind that only this city knows counts as main equipment. */
export function tierOf(kind: string): Tier {
  return TIERS[kind] ?? 2;
}

/** From which zoom on a thing's name is written. */
export const NAMED_FROM: Record<Tier, number> = { 1: 9.7, 2: 12.4, 3: 14, 4: 15.5 };

/** Radius of a thing's dot in pixels, at these zooms; 0: not drawn. */
export const RADIUS_AT = [9, 11, 13, 15, 17] as const;
export const RADII: Record<Tier, readonly [number, number, number, number, number]> = {
  1: [3.6, 5.5, 8, 11, 14],
  2: [2.2, 3.4, 6.5, 10, 13],
  3: [1.3, 2.2, 4.5, 8, 11],
  4: [0, 0, 2.2, 6, 9],
};

/** Whether a thing of this tier can be seen, and so be hit, at a zoom. */
export function seenAt(tier: Tier, zoom: number): boolean {
  return tier < 4 || zoom > 11.4;
}
