// Attention maps as the service sends them: bytes [heads, queries, keys] of one layer, 255 is all of a token's attention.
import { api } from "../../lib/api";
import { colour } from "../../lib/theme.svelte";
import type { Schema } from "../../lib/types";

export type Kind = Schema<"AttentionLayer">["kind"];

export interface Layer extends Omit<Schema<"AttentionLayer">, "weights"> {
  /** One [queries, keys] for each head, row by row. */
  maps: Uint8Array[];
}

export interface Question {
  model: string;
  text: string;
  kind: Kind | null;
  layer: number;
}

export async function readLayer(question: Question, signal: AbortSignal): Promise<Layer> {
  const { weights, ...rest } = await api.post<Schema<"AttentionLayer">>("/api/attention", question, { signal });
  const bytes = Uint8Array.from(atob(weights), (letter) => letter.charCodeAt(0));
  const size = rest.queries.length * rest.keys.length;
  const maps = Array.from({ length: rest.heads }, (_, head) => bytes.subarray(head * size, (head + 1) * size));
  return { ...rest, maps };
}

/** The mean of all heads. */
export function mean(maps: Uint8Array[]): Uint8Array {
  const sum = new Float32Array(maps[0]?.length ?? 0);
  for (const map of maps) for (const [i, value] of map.entries()) sum[i] = (sum[i] ?? 0) + value;
  return Uint8Array.from(sum, (value) => Math.round(value / maps.length));
}

/** A share between 0 and 1 of one byte. */
export function share(value: number | undefined): number {
  return (value ?? 0) / 255;
}

/** The colours of 0 to 255 between the ground and the accent, weak ones lifted so that they are seen. */
export function palette(): Uint8ClampedArray {
  const [from, to] = [rgb(colour("--surface")), rgb(colour("--accent"))];
  const colours = new Uint8ClampedArray(256 * 4);
  for (let value = 0; value < 256; value++) {
    const strength = Math.sqrt(value / 255);
    const mixed = from.map((part, i) => part + strength * ((to[i] ?? 0) - part));
    colours.set([...mixed, 255], 4 * value);
  }
  return colours;
}

function rgb(written: string): number[] {
  return (written.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
}

/** Paint a map, one pixel for each pair of tokens. */
export function paint(canvas: HTMLCanvasElement, map: Uint8Array, width: number, colours: Uint8ClampedArray): void {
  canvas.width = Math.max(1, width);
  canvas.height = Math.max(1, Math.round(map.length / canvas.width));
  const image = new ImageData(canvas.width, canvas.height);
  const [pixels, palette] = [new Uint32Array(image.data.buffer), new Uint32Array(colours.buffer)];
  for (let i = 0; i < map.length; i++) pixels[i] = palette[map[i] ?? 0] ?? 0;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/** A token as it can be seen: spaces and line ends have signs of their own. */
export function visible(token: string): string {
  return token.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "␣") || "∅";
}
