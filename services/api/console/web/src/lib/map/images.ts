/** The map's small pictures, drawn here: severity shapes, rings of what does not operate yet, signs of the domains. */
import { SEVERITIES, type Severity } from "../model";
import { SHAPES } from "../severity";
import { IMAGE_RADIUS } from "./layers";
import type { MarkState } from "./marks";
import type { Palette } from "./palette";

export const PIXEL_RATIO = 2;
/** Everything is drawn in a box of 24 by 24, with room around it for outlines. */
const BOX = 24;
const ROOM = 5;

/** In a box of 24 by 24, drawn as strokes. */
export const GLYPHS: Record<string, string> = {
  power: "M13 4 7 13h5l-1 7 6-9h-5z",
  water: "M12 4c3 4 5 6.5 5 9.5a5 5 0 0 1-10 0C7 10.5 9 8 12 4z",
  wastewater: "M5 9c2.3-2 4.7-2 7 0s4.7 2 7 0M5 15c2.3-2 4.7-2 7 0s4.7 2 7 0",
  gas: "M12 20c-3 0-5-2-5-5 0-2.5 2-3.5 2.5-6C12 10 11 12 12.5 12.5 13.5 11 13 7 12 4c4 2 6 6.5 5 11-.5 3-2.5 5-5 5z",
  traffic: "M9 4h6v16H9zM12 7.5v.1M12 12v.1M12 16.5v.1",
  environment: "M5 14a4 4 0 0 1 3-5.5 5 5 0 0 1 9.5 1.5A3.5 3.5 0 0 1 17 17H8a3 3 0 0 1-3-3z",
  platform: "M6 7h12v8H6zM9 19h6",
};

export function imagesOf(palette: Palette): Map<string, ImageData> {
  const images = new Map<string, ImageData>();
  for (const severity of SEVERITIES)
    for (const state of ["new", "known", "over"] as const)
      images.set(`${severity}-${state}`, mark(severity, state, palette));
  images.set("ring-under_construction", ring([5, 3.4], palette));
  images.set("ring-planned", ring([1.6, 3.2], palette));
  for (const domain of Object.keys(GLYPHS)) {
    images.set(`glyph-${domain}`, glyph(domain, palette["map-asset-line"]));
    images.set(`glyph-${domain}-ring`, glyph(domain, palette["map-asset"]));
  }
  images.set(
    "direction",
    drawn((pen) => strokeOf(pen, "M9 6l6 6-6 6", palette.accent, 3)),
  );
  return images;
}

function mark(severity: Severity, state: MarkState, palette: Palette): ImageData {
  const shape = new Path2D(SHAPES[severity]);
  return drawn((pen) => {
    pen.lineJoin = "round";
    if (state === "new") outline(pen, shape, palette.ink, 7);
    outline(pen, shape, palette["map-district"], state === "new" ? 3.6 : 4);
    pen.fillStyle = state === "over" ? palette["map-district"] : palette[severity];
    pen.fill(shape);
    if (state === "over") {
      pen.clip(shape);
      outline(pen, shape, palette[severity], 8);
    }
  });
}

function outline(pen: CanvasRenderingContext2D, shape: Path2D, colour: string, width: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke(shape);
}

function ring(dash: number[], palette: Palette): ImageData {
  return drawn((pen) => {
    pen.beginPath();
    pen.arc(BOX / 2, BOX / 2, IMAGE_RADIUS - 1, 0, 2 * Math.PI);
    pen.fillStyle = palette["map-district"];
    pen.fill();
    pen.setLineDash(dash);
    pen.lineCap = "round";
    pen.strokeStyle = palette["map-asset"];
    pen.lineWidth = 2.2;
    pen.stroke();
  });
}

function glyph(domain: string, colour: string): ImageData {
  return drawn((pen) => strokeOf(pen, GLYPHS[domain] ?? "", colour, 1.8));
}

function strokeOf(pen: CanvasRenderingContext2D, path: string, colour: string, width: number): void {
  pen.lineJoin = "round";
  pen.lineCap = "round";
  outline(pen, new Path2D(path), colour, width);
}

function drawn(draw: (pen: CanvasRenderingContext2D) => void): ImageData {
  const canvas = document.createElement("canvas");
  const side = (BOX + 2 * ROOM) * PIXEL_RATIO;
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas to draw on");
  pen.scale(PIXEL_RATIO, PIXEL_RATIO);
  pen.translate(ROOM, ROOM);
  draw(pen);
  return pen.getImageData(0, 0, side, side);
}
