/** PURE: the map's layers, from the ground up, in the colours, language and choice that are wanted now. */
import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from "maplibre-gl";
import { SEVERITIES, type Language } from "../model";
import type { Palette } from "./palette";
import { NAMED_FROM, RADII, RADIUS_AT, type Tier } from "./tiers";

/** What the operator wants to see; no domain: all; no district: the whole city. Alerts are always seen. */
export interface Shown {
  domains: readonly string[];
  district: string | null;
}

export interface Look {
  palette: Palette;
  language: Language;
  shown: Shown;
}

const TIERS: readonly Tier[] = [1, 2, 3, 4];
/** Known by their line, not by a colour; the last is for every other domain. */
export const LINES: readonly { domain: string; width: number; dash?: [number, number, ...number[]] }[] = [
  { domain: "traffic", width: 4.5 },
  { domain: "water", width: 2.2 },
  { domain: "wastewater", width: 2.2, dash: [4, 2] },
  { domain: "gas", width: 2, dash: [1, 1.5] },
  { domain: "power", width: 1.6, dash: [7, 2, 1.5, 2] },
  { domain: "", width: 1.5 },
];
const FONT = ["Noto Sans", "DejaVu Sans", "sans-serif"];
const BOLD = ["Noto Sans Bold", ...FONT];
/** Radius of the circle that the ring and glyph images are drawn with. */
export const IMAGE_RADIUS = 12;

const silent: ExpressionSpecification = ["boolean", ["feature-state", "silent"], false];

export function layersOf(look: Look): LayerSpecification[] {
  return [
    {
      id: "ground",
      type: "background",
      paint: { "background-color": look.palette["map-ground"] },
    },
    ...districtLayers(look),
    ...networkLayers(look),
    ...feedLayers(look),
    ...assetLayers(look),
    ...nameLayers(look),
    ...placeLayers(look),
    ...chosenLayers(look),
    ...alertLayers(look),
  ];
}

function districtLayers({ palette, shown }: Look): LayerSpecification[] {
  const aside: ExpressionSpecification = [
    "case",
    ["any", shown.district === null, ["==", ["get", "key"], shown.district ?? ""]],
    1,
    0.35,
  ];
  return [
    {
      id: "district-areas",
      type: "fill",
      source: "districts",
      paint: { "fill-color": palette["map-district"], "fill-opacity": aside },
    },
    {
      id: "district-lines",
      type: "line",
      source: "districts",
      paint: { "line-color": palette["map-district-line"], "line-width": 1.2, "line-opacity": aside },
    },
  ];
}

function placeLayers({ palette, language }: Look): LayerSpecification[] {
  return [
    {
      id: "district-names",
      type: "symbol",
      source: "places",
      maxzoom: 13,
      layout: {
        "text-field": ["get", `name_${language}`],
        "text-font": FONT,
        "text-size": ["interpolate", ["linear"], ["zoom"], 8, 12, 12, 18],
        "text-letter-spacing": 0.08,
        "text-anchor": ["get", "anchor"],
        "text-max-width": 20,
        "text-allow-overlap": true,
      },
      paint: { ...written(palette), "text-opacity": 0.75 },
    },
  ];
}

function networkLayers(look: Look): LayerSpecification[] {
  const { palette, language, shown } = look;
  const lines = LINES.map(({ domain, width, dash }): LayerSpecification => {
    const others = LINES.map((line) => line.domain).filter(Boolean);
    const own: ExpressionSpecification = domain
      ? ["==", ["get", "domain"], domain]
      : ["!", ["in", ["get", "domain"], ["literal", others]]];
    return {
      id: `network-${domain || "other"}`,
      type: "line",
      source: "networks",
      filter: both(own, shownOnly(shown)),
      layout: { "line-cap": dash ? "butt" : "round", "line-join": "round" },
      paint: {
        "line-color": [
          "match",
          ["coalesce", ["feature-state", "severity"], ""],
          ...SEVERITIES.flatMap((severity) => [severity, palette[severity]]),
          palette["map-network"],
        ] as unknown as ExpressionSpecification,
        "line-width": ["interpolate", ["linear"], ["zoom"], 9, width * 0.6, 13, width, 16, width * 2],
        "line-opacity": [
          "*",
          ["case", ["==", ["get", "status"], "operating"], 1, 0.55],
          domain === "traffic" ? 0.55 : 0.9,
        ],
        ...(dash ? { "line-dasharray": dash } : {}),
      },
    };
  });
  return [
    ...lines,
    {
      id: "network-names",
      type: "symbol",
      source: "networks",
      minzoom: 11.5,
      filter: shownOnly(shown),
      layout: {
        "symbol-placement": "line",
        "symbol-spacing": 420,
        "text-field": ["get", `name_${language}`],
        "text-font": FONT,
        "text-size": 11,
      },
      paint: { ...written(palette), "text-opacity": 0.85 },
    },
  ];
}

function feedLayers({ palette, shown }: Look): LayerSpecification[] {
  return [
    {
      id: "feeds",
      type: "line",
      source: "feeds",
      minzoom: 11,
      filter: shownOnly(shown),
      paint: {
        "line-color": palette["map-asset"],
        "line-width": 0.8,
        "line-opacity": ["interpolate", ["linear"], ["zoom"], 11, 0, 12, 0.3, 15, 0.45],
      },
    },
  ];
}

function assetLayers({ palette, shown }: Look): LayerSpecification[] {
  const operating: ExpressionSpecification = ["==", ["get", "status"], "operating"];
  return [
    {
      id: "asset-dots",
      type: "circle",
      source: "assets",
      filter: both(operating, shownOnly(shown)),
      layout: { "circle-sort-key": ["-", 0, ["get", "tier"]] },
      paint: {
        "circle-radius": byZoom((radius) => radius),
        "circle-color": ["case", silent, palette["map-district"], palette["map-asset"]],
        "circle-stroke-color": ["case", silent, palette["map-asset"], palette["map-asset-line"]],
        "circle-stroke-width": byZoom((radius) => (radius === 0 ? 0 : radius < 3 ? 0.6 : 1.4)),
      },
    },
    {
      id: "asset-rings",
      type: "symbol",
      source: "assets",
      filter: both(["!", operating], shownOnly(shown)),
      layout: {
        "icon-image": ["concat", "ring-", ["get", "status"]],
        "icon-size": byZoom((radius) => radius / IMAGE_RADIUS),
        ...stacked,
      },
    },
    {
      id: "asset-glyphs",
      type: "symbol",
      source: "assets",
      minzoom: 12,
      filter: shownOnly(shown),
      layout: {
        "icon-image": ["concat", "glyph-", ["get", "domain"], ["case", operating, "", "-ring"]],
        "icon-size": byZoom((radius) => (radius < 5 ? 0 : radius / IMAGE_RADIUS)),
        ...stacked,
      },
      paint: { "icon-opacity": ["case", silent, 0, 1] },
    },
  ];
}

function nameLayers({ palette, language, shown }: Look): LayerSpecification[] {
  return TIERS.map((tier) => ({
    id: `asset-names-${tier}`,
    type: "symbol",
    source: "assets",
    minzoom: NAMED_FROM[tier],
    filter: both(["==", ["get", "tier"], tier], shownOnly(shown)),
    layout: {
      "text-field": ["get", `name_${language}`],
      "text-font": FONT,
      "text-size": tier === 1 ? 12.5 : 11.5,
      "text-max-width": 11,
      "text-padding": 4,
      "text-variable-anchor": ["left", "right", "top", "bottom"],
      "text-radial-offset": 1.1,
      "text-justify": "auto",
    },
    paint: written(palette),
  }));
}

function chosenLayers({ palette }: Look): LayerSpecification[] {
  return [
    {
      id: "chosen-lines",
      type: "line",
      source: "chosen",
      filter: ["==", ["geometry-type"], "LineString"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": palette.accent, "line-width": ["case", ["has", "key"], 4, 2] },
    },
    {
      id: "chosen-directions",
      type: "symbol",
      source: "chosen",
      filter: ["has", "source"],
      layout: {
        "symbol-placement": "line",
        "symbol-spacing": 90,
        "icon-image": "direction",
        "icon-size": 0.8,
        ...stacked,
      },
    },
    {
      id: "chosen-ring",
      type: "circle",
      source: "chosen",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 11, 13, 15, 17, 21],
        "circle-color": palette.accent,
        "circle-opacity": 0.15,
        "circle-stroke-color": palette.accent,
        "circle-stroke-width": 3,
      },
    },
  ];
}

function alertLayers({ palette, language }: Look): LayerSpecification[] {
  const order: ExpressionSpecification = ["get", "rank"];
  return [
    {
      id: "alert-names",
      type: "symbol",
      source: "alerts",
      minzoom: 10.5,
      layout: {
        "symbol-sort-key": ["-", 0, order],
        "text-field": ["get", `name_${language}`],
        "text-font": BOLD,
        "text-size": 12.5,
        "text-max-width": 11,
        "text-variable-anchor": ["left", "right", "top", "bottom"],
        "text-radial-offset": 1.4,
        "text-justify": "auto",
      },
      paint: { ...written(palette), "text-color": palette.ink },
    },
    {
      id: "alert-marks",
      type: "symbol",
      source: "alerts",
      layout: {
        "icon-image": ["get", "image"],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 9, 0.8, 13, 1, 17, 1.3],
        "symbol-sort-key": order,
        ...stacked,
      },
    },
  ];
}

const stacked = { "icon-allow-overlap": true, "icon-ignore-placement": true } as const;

function written(palette: Palette) {
  return {
    "text-color": palette["map-label"],
    "text-halo-color": palette["map-district"],
    "text-halo-width": 1.6,
  };
}

function shownOnly({ domains, district }: Shown): ExpressionSpecification {
  const wanted: ExpressionSpecification[] = [];
  if (domains.length) wanted.push(["in", ["get", "domain"], ["literal", [...domains]]]);
  if (district !== null) wanted.push(["==", ["get", "district"], district]);
  return ["all", ...wanted];
}

function both(one: ExpressionSpecification, other: ExpressionSpecification): FilterSpecification {
  return ["all", one, other];
}

/** A size that follows the zoom, by the asset's tier. */
function byZoom(sizeOf: (radius: number) => number): ExpressionSpecification {
  const stops = RADIUS_AT.flatMap((zoom, index) => [
    zoom,
    [
      "match",
      ["get", "tier"],
      ...TIERS.flatMap((tier) => [tier, sizeOf(RADII[tier][index] ?? 0)]),
      sizeOf(RADII[2][index] ?? 0),
    ],
  ]);
  return ["interpolate", ["linear"], ["zoom"], ...stops] as unknown as ExpressionSpecification;
}
