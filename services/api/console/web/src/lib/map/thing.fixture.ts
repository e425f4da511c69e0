/** A thing for tests. */
import type { LocalName, Thing } from "../model";

export const name = (text: string): LocalName => ({ kk: `${text} kk`, ru: `${text} ru`, en: text });

export function thing(key: string, more: Partial<Thing> = {}): Thing {
  return {
    thing_id: 1,
    key,
    kind: "pump",
    domain: "water",
    district: "gate",
    name: name(key),
    description: null,
    status: "operating",
    protected: false,
    longitude: 77,
    latitude: 43.5,
    geometry: null,
    properties: {},
    ...more,
  };
}
