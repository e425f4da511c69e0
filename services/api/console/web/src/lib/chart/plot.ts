/** A drawing on a uPlot canvas. What changes with every value is read when it is drawn. */
import uPlot from "uplot";
import type { Language } from "../model";
import { SHAPES } from "../severity";
import { alone } from "./align";
import { timeLabels } from "./axis";
import type { Drawing } from "./drawing";
import { colour, pen } from "./ink";
import { extentOf } from "./scale";

export interface Surroundings {
  width: number;
  height: number;
  timeZone: string;
  language: Language;
  printed: (value: number) => string;
  laneName: (lane: number) => string;
  /** The drawing as it is now. */
  drawing: () => Drawing;
  /** null: the pointer has left. */
  pointed: (moment: number | null) => void;
  zoomed: (from: number, to: number) => void;
  /** Where the plotting area begins, pixels. */
  laidOut: (left: number) => void;
}

const FONT = "13px system-ui, 'Noto Sans', sans-serif";

/** The columns of a drawing as uPlot wants them: times, then values, low, high of each curve. */
export function columnsOf(drawing: Drawing): uPlot.AlignedData {
  const { times, curves } = drawing.table;
  // uPlot ignores what it cannot draw, but wants two moments to know how wide one is.
  return [times, ...curves.flatMap(({ values, low, high }) => [values, low, high])];
}

export function plotOptions(around: Surroundings): uPlot.Options {
  const { drawing } = around;
  return {
    width: around.width,
    height: around.height,
    ms: 1,
    tzDate: (moment) => uPlot.tzDate(new Date(moment), around.timeZone),
    legend: { show: false },
    padding: [22, 12, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 8 } },
    scales: { x: { time: true, range: () => edges(drawing()) }, y: yScale(drawing) },
    series: [{}, ...drawing().tracks.flatMap((_, index) => curve(drawing(), index))],
    bands: drawing().tracks.map((_, index) => ({
      series: [3 * index + 3, 3 * index + 2] as [number, number],
      fill: () => faded(colour(pen(index).colour), 0.18),
    })),
    axes: [timeAxis(around), drawing().lanes.length ? laneAxis(around) : valueAxis(around)],
    hooks: {
      drawClear: [(plot) => episodes(plot, drawing())],
      draw: [(plot) => (drawing().lanes.length ? lanes(plot, drawing()) : marks(plot, drawing()))],
      setCursor: [(plot) => around.pointed(pointedAt(plot))],
      setSelect: [(plot) => select(plot, around.zoomed)],
      drawAxes: [(plot) => around.laidOut(plot.bbox.left / uPlot.pxRatio)],
    },
  };
}

const edges = ({ span }: Drawing): uPlot.Range.MinMax => [span.from, span.to];

function yScale(drawing: () => Drawing): uPlot.Scale {
  return {
    dir: drawing().lanes.length ? -1 : 1,
    range: (_plot, min, max) => {
      const { kind, lanes: own, limits, plausible } = drawing();
      if (own.length) return [0, own.length];
      const near = [...limits.map((limit) => limit.value), ...plausible];
      const seen = (min as number | null) === null ? null : { min, max };
      const extent = extentOf(seen, near, kind === "counter");
      return [extent.min, extent.max];
    },
  };
}

function curve(drawing: Drawing, index: number): uPlot.Series[] {
  const { colour: ink, width, dash } = pen(index);
  const stroke = (): string => colour(ink);
  if (drawing.lanes.length) return [{ show: false }, { show: false }, { show: false }];
  const edge: uPlot.Series = {
    stroke: "transparent",
    width: 0,
    points: { show: false },
    show: drawing.kind !== "counter",
  };
  const bars = drawing.kind === "counter" && drawing.tracks.length === 1;
  const paths = bars
    ? uPlot.paths.bars?.({ size: [0.8, 48, 1], align: 1 })
    : drawing.kind === "counter"
      ? uPlot.paths.stepped?.({ align: 1 })
      : uPlot.paths.linear?.();
  const main: uPlot.Series = {
    stroke,
    width: bars ? 0 : width,
    dash,
    points: {
      size: 5,
      stroke,
      fill: stroke,
      // Where there is no room for a dot at every value, those that no line leads to still have one.
      filter: (plot, own, shown) => (shown ? null : alone(plot.data[own] ?? [])),
      ...(bars ? { show: false } : {}),
    },
    ...(bars ? { fill: stroke } : {}),
    ...(paths ? { paths } : {}),
  };
  return [main, edge, { ...edge }];
}

function timeAxis({ timeZone, language }: Surroundings): uPlot.Axis {
  return {
    stroke: () => colour("--soft"),
    font: FONT,
    size: 46,
    space: 76,
    grid: { stroke: () => colour("--line"), width: 1 },
    ticks: { stroke: () => colour("--line"), width: 1, size: 5 },
    values: (_plot, moments, _axis, _space, step) => timeLabels(moments, step, timeZone, language),
  };
}

function valueAxis({ printed }: Surroundings): uPlot.Axis {
  return {
    stroke: () => colour("--soft"),
    font: FONT,
    size: (plot, labels) => 18 + widest(plot, labels ?? []),
    grid: { stroke: () => colour("--line"), width: 1 },
    ticks: { show: false },
    values: (_plot, values) => values.map(printed),
  };
}

/** Names of the lanes in the middle of each. */
function laneAxis({ drawing, laneName, width }: Surroundings): uPlot.Axis {
  const most = width < 560 ? 13 : 24;
  const names = drawing().lanes.map((_, lane) => cut(laneName(lane), most));
  return {
    stroke: () => colour("--soft"),
    font: FONT,
    size: (plot) => 18 + widest(plot, names),
    grid: { show: false },
    ticks: { show: false },
    splits: () => names.map((_, lane) => lane + 0.5),
    values: () => names,
  };
}

/** Of some labels, in pixels. */
function widest({ ctx }: uPlot, labels: readonly string[]): number {
  ctx.save();
  ctx.font = FONT;
  const width = Math.max(20, ...labels.map((label) => ctx.measureText(label).width));
  ctx.restore();
  return Math.ceil(width);
}

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

function pointedAt(plot: uPlot): number | null {
  const { left } = plot.cursor;
  return left === undefined || left < 0 ? null : plot.posToVal(left, "x");
}

function select(plot: uPlot, zoomed: Surroundings["zoomed"]): void {
  const { left, width } = plot.select;
  if (width > 0) zoomed(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

/** Draws within the plotting area only; all in canvas pixels. */
function within(plot: uPlot, draw: (context: CanvasRenderingContext2D) => void): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, 0, bbox.width, bbox.top + bbox.height);
  ctx.clip();
  draw(ctx);
  ctx.restore();
}

/** When it was alerting: a shade with the severity's shape on top. */
function episodes(plot: uPlot, drawing: Drawing): void {
  const { top, height } = plot.bbox;
  const ratio = uPlot.pxRatio;
  within(plot, (context) => {
    for (const { from, to, severity } of drawing.episodes) {
      const left = plot.valToPos(from, "x", true);
      const width = Math.max(2 * ratio, plot.valToPos(to, "x", true) - left);
      context.fillStyle = faded(colour(`--${severity}`), 0.16);
      context.fillRect(left, top, width, height);
      context.fillStyle = colour(`--${severity}`);
      context.fillRect(left, top, width, 2 * ratio);
      context.save();
      context.translate(Math.max(left, plot.bbox.left), top - 17 * ratio);
      context.scale((15 / 24) * ratio, (15 / 24) * ratio);
      context.fill(new Path2D(SHAPES[severity]));
      context.restore();
    }
  });
}

/** Alert limits and the plausible range as dashed lines. */
function marks(plot: uPlot, drawing: Drawing): void {
  const ratio = uPlot.pxRatio;
  const { left, width, top, height } = plot.bbox;
  within(plot, (context) => {
    const line = (value: number, ink: string, dash: number[]): void => {
      const y = Math.round(plot.valToPos(value, "y", true));
      if (y < top || y > top + height) return;
      context.strokeStyle = ink;
      context.lineWidth = 1.5 * ratio;
      context.setLineDash(dash.map((length) => length * ratio));
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(left + width, y);
      context.stroke();
    };
    for (const value of drawing.plausible) line(value, colour("--soft"), [2, 5]);
    for (const { value, severity } of drawing.limits) line(value, colour(`--${severity}`), [9, 5]);
  });
}

/** States: a bar in its lane for as long as it was so; part of its height for part of the time. */
function lanes(plot: uPlot, drawing: Drawing): void {
  const ratio = uPlot.pxRatio;
  within(plot, (context) => {
    for (const { lane, from, to, share } of drawing.runs) {
      const code = drawing.lanes[lane]?.code ?? null;
      const left = plot.valToPos(from, "x", true);
      const width = Math.max(1.5 * ratio, plot.valToPos(to, "x", true) - left);
      const top = plot.valToPos(lane, "y", true);
      const room = plot.valToPos(lane + 1, "y", true) - top;
      const height = Math.max(2 * ratio, room * 0.64 * share);
      context.fillStyle = colour(code?.abnormal ? "--ink" : code ? "--accent" : "--line");
      context.fillRect(left, top + room * 0.82 - height, width, height);
    }
  });
}

/** ink: "#rrggbb", as theme.css has it. */
function faded(ink: string, alpha: number): string {
  return `${ink}${Math.round(alpha * 255)
    .toString(16)
    .padStart(2, "0")}`;
}
