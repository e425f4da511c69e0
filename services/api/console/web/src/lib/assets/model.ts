/** What the asset page asks the operator API beyond lib/model.ts; names as in docs/operator-api.md. */
import type { Thing } from "../model";

export type { Datastream } from "../model";

export const RELATIONS = ["contained_in", "contains", "fed_by", "feeds"] as const;
export type RelationName = (typeof RELATIONS)[number];

/** GET /things/{key}. */
export interface ThingAround extends Thing {
  /** Keys of things in the user's scope. */
  relations: Record<RelationName, string[]>;
  devices: string[];
}

export interface Device {
  key: string;
  type: string;
}
