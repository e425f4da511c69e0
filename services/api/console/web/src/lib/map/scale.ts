/** PURE: the bar that says how far is far. */
import type { Language } from "../model";

const EARTH_METRES = 40_075_016.686;
const TILE_PIXELS = 512;
// Browsers know no Kazakh units.
const KILOMETRE: Record<Language, string> = { kk: "км", ru: "км", en: "km" };
const METRE: Record<Language, string> = { kk: "м", ru: "м", en: "m" };

export interface ScaleBar {
  pixels: number;
  metres: number;
}

/** The longest round length that fits: 1, 2 or 5 times a power of ten. latitude in degrees. */
export function scaleBar(zoom: number, latitude: number, atMost: number): ScaleBar {
  const metresPerPixel = (EARTH_METRES * Math.cos((latitude * Math.PI) / 180)) / (TILE_PIXELS * 2 ** zoom);
  const room = metresPerPixel * atMost;
  const power = 10 ** Math.floor(Math.log10(room));
  const metres = power * ([5, 2].find((step) => step * power <= room) ?? 1);
  return { metres, pixels: metres / metresPerPixel };
}

/** A round length in its unit. */
export function printedLength(metres: number, language: Language): string {
  const [number, unit] = metres >= 1_000 ? [metres / 1_000, KILOMETRE[language]] : [metres, METRE[language]];
  return `${number} ${unit}`;
}
