/** What the operator left the map with, for when they come back to it from another view. */
import type { Shown } from "./layers";
import type { Camera } from "./stage";

class MapMemory {
  camera: Camera | null = null;
  shown = $state.raw<Shown>({ domains: [], district: null });
}

export const memory = new MapMemory();
