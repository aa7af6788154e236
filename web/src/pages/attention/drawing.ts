// Draws one attention map with tokens beside it (queries) and above it (keys).
import { colour } from "../../lib/theme.svelte";
import { type Layer, visible } from "./maps";

export interface Frame {
  /** Pixels of one pair of tokens, of the names beside and above, and of the whole. */
  cell: number;
  left: number;
  top: number;
  width: number;
  height: number;
}

const LETTER = 6.7; // of 11 px monospace, and of wide characters twice that
const LONGEST = 14;
const SMALLEST = 11;
const LARGEST = 34;

/** Where everything goes in so much width; more tokens than fit make the picture wider than that. */
export function frameOf(queries: string[], keys: string[], room: number): Frame {
  const left = lengthOf(queries) + 10;
  const top = lengthOf(keys) + 10;
  const cell = Math.max(SMALLEST, Math.min(LARGEST, Math.floor((room - left - 2) / Math.max(1, keys.length))));
  return { cell, left, top, width: left + cell * keys.length + 2, height: top + cell * queries.length + 2 };
}

function lengthOf(tokens: string[]): number {
  const longest = Math.max(1, ...tokens.map((token) => breadth(shortened(token))));
  return Math.ceil(Math.min(longest, LONGEST + 1) * LETTER);
}

function breadth(text: string): number {
  return [...text].reduce((sum, letter) => sum + ((letter.codePointAt(0) ?? 0) > 0x2e80 ? 1.7 : 1), 0);
}

function shortened(token: string): string {
  const letters = [...visible(token)];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : letters.join("");
}

/** The pair of tokens at a place of the picture. */
export function cellAt(frame: Frame, x: number, y: number): { query: number; key: number } | null {
  const key = Math.floor((x - frame.left) / frame.cell);
  const query = Math.floor((y - frame.top) / frame.cell);
  const across = (frame.width - frame.left - 2) / frame.cell;
  const down = (frame.height - frame.top - 2) / frame.cell;
  return key >= 0 && query >= 0 && key < across && query < down ? { query, key } : null;
}

export function draw(
  canvas: HTMLCanvasElement,
  frame: Frame,
  layer: Layer,
  map: Uint8Array,
  colours: Uint8ClampedArray,
  at: { query: number; key: number } | null,
): void {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(frame.width * scale);
  canvas.height = Math.round(frame.height * scale);
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.scale(scale, scale);
  const style = getComputedStyle(canvas);
  // A saved picture has a ground.
  pen.fillStyle = colour("--surface");
  pen.fillRect(0, 0, frame.width, frame.height);
  const { cell, left, top } = frame;
  const gap = cell > 14 ? 1 : 0;
  for (const [i, value] of map.entries()) {
    const [x, y] = [i % layer.keys.length, Math.floor(i / layer.keys.length)];
    pen.fillStyle = `rgb(${colours[4 * value]} ${colours[4 * value + 1]} ${colours[4 * value + 2]})`;
    pen.fillRect(left + x * cell, top + y * cell, cell - gap, cell - gap);
  }
  pen.font = `11px ${style.getPropertyValue("--mono") || "monospace"}`;
  pen.textBaseline = "middle";
  const [text, strong] = [colour("--muted"), colour("--text")];
  for (const [i, token] of layer.queries.entries()) {
    pen.fillStyle = at?.query === i ? strong : text;
    pen.textAlign = "right";
    pen.fillText(shortened(token), left - 6, top + (i + 0.5) * cell);
  }
  for (const [i, token] of layer.keys.entries()) {
    pen.save();
    pen.fillStyle = at?.key === i ? strong : text;
    pen.translate(left + (i + 0.5) * cell, top - 6);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "left";
    pen.fillText(shortened(token), 0, 0);
    pen.restore();
  }
  pen.strokeStyle = text;
  pen.strokeRect(left - 0.5, top - 0.5, cell * layer.keys.length + 1, cell * layer.queries.length + 1);
  if (at) {
    pen.strokeStyle = strong;
    pen.lineWidth = 2;
    pen.strokeRect(left + at.key * cell, top + at.query * cell, cell - gap, cell - gap);
  }
}
