// How a Chart is drawn by uPlot: axes, lines with their bands, marks, zoom.
import uPlot from "uplot";
import { number } from "../lib/format";
import { colour } from "../lib/theme.svelte";
import { COLOURS, COLUMNS, type Line, type Mark } from "./chart";

interface Wishes {
  width: number;
  height: number;
  log: boolean;
  smoothing: boolean;
  time: boolean;
  sync: string | undefined;
  format: (value: number) => string;
  oncursor: (index: number | null) => void;
  onselect: (from: number, to: number) => void;
}

/** Options for uPlot. Colours are read from the theme now, so a change of theme needs new options. */
export function options(lines: readonly Line[], marks: () => readonly Mark[], wish: Wishes): uPlot.Options {
  const axis = { stroke: colour("--muted"), grid: grid(), ticks: { ...grid(), size: 4 }, font: font(), size: 30, gap: 4 };
  return {
    width: wish.width,
    height: wish.height,
    legend: { show: false },
    padding: [10, 12, 0, 0],
    scales: { x: { time: wish.time }, y: { distr: wish.log ? 3 : 1, range: wish.log ? null! : room } },
    axes: [
      { ...axis, ...(wish.time ? {} : { values: (_: uPlot, ticks: number[]) => ticks.map(short) }) },
      { ...axis, size: wide, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : wish.format(tick))) },
    ],
    series: [{}, ...lines.flatMap((line, i) => strokes(line, i, wish.smoothing))],
    bands: lines.flatMap((line, i) => band(line, i)),
    cursor: {
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
      ...(wish.sync ? { sync: { key: wish.sync } } : {}),
    },
    hooks: {
      draw: [(u) => drawMarks(u, marks())],
      setCursor: [(u) => wish.oncursor(u.cursor.idx ?? null)],
      setSelect: [(u) => selected(u, wish.onselect)],
    },
  };
}

function grid() {
  return { stroke: colour("--border"), width: 1 };
}

function font(): string {
  return `11px ${getComputedStyle(document.body).fontFamily}`;
}

function short(value: number): string {
  return Math.abs(value) >= 10_000 ? Intl.NumberFormat("en", { notation: "compact" }).format(value) : number(value, 5);
}

// As wide as its longest figure.
const wide: uPlot.Axis.Size = (_, values) => Math.max(44, 12 + 6.4 * Math.max(0, ...(values ?? []).map((value) => value.length)));

// A flat line stands in the middle instead of on the border.
const room: uPlot.Range.Function = (_, low, high) => {
  if (low === null || high === null) return [0, 1];
  const margin = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - margin, high + margin];
};

const HIDDEN = { points: { show: false }, width: 0, stroke: "transparent" };

function strokes(line: Line, i: number, smoothing: boolean): uPlot.Series[] {
  const ink = colour(line.colour ?? COLOURS[i % COLOURS.length] ?? "--c1");
  const dash = line.dash || i >= COLOURS.length ? { dash: [6, 4] } : {};
  const edge: uPlot.Series = { points: { show: false }, width: 1, stroke: faint(ink, 0.45), alpha: 1 };
  const raw: uPlot.Series = smoothing ? { points: { show: false }, width: 1, stroke: faint(ink, 0.35) } : HIDDEN;
  return [edge, edge, raw, { label: line.name, width: 1.75, stroke: ink, points: { size: 5 }, ...dash }];
}

function band(line: Line, i: number): uPlot.Band[] {
  if (!line.low || !line.high) return [];
  const ink = colour(line.colour ?? COLOURS[i % COLOURS.length] ?? "--c1");
  return [{ series: [COLUMNS * i + 2, COLUMNS * i + 1], fill: faint(ink, 0.18) }];
}

// "rgb(1, 2, 3)" and "color(srgb ...)" alike, through the canvas' own mixing.
function faint(ink: string, alpha: number): string {
  const parts = ink.match(/[\d.]+/g) ?? [];
  const scale = ink.startsWith("rgb") ? 1 : 255;
  return `rgba(${parts.slice(0, 3).map((part) => Number(part) * scale).join(",")},${alpha})`;
}

function selected(u: uPlot, onselect: (from: number, to: number) => void): void {
  if (u.select.width < 4) return;
  const from = u.posToVal(u.select.left, "x");
  const to = u.posToVal(u.select.left + u.select.width, "x");
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onselect(from, to);
}

function drawMarks(u: uPlot, marks: readonly Mark[]): void {
  const { ctx, bbox } = u;
  ctx.save();
  for (const mark of marks) {
    const x = Math.round(u.valToPos(mark.x, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colour({ plain: "--border-strong", warn: "--warn", bad: "--bad" }[mark.tone ?? "plain"]);
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
