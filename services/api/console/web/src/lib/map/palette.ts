/** The map's colours: those of theme.css, as they are now. */
import { SEVERITIES, type Severity } from "../model";

const NAMES = [
  "map-ground",
  "map-district",
  "map-district-line",
  "map-network",
  "map-asset",
  "map-asset-line",
  "map-label",
  "accent",
  "ink",
  ...SEVERITIES,
] as const;

export type Palette = Record<(typeof NAMES)[number], string> & Record<Severity, string>;

export function readPalette(root: Element): Palette {
  const style = getComputedStyle(root);
  return Object.fromEntries(
    NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  ) as Palette;
}

/** Tells when the theme has been switched; gives what ends it. */
export function onThemeChange(told: () => void): () => void {
  const observer = new MutationObserver(told);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}
