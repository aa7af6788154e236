// What a Chart is made of: the data of its lines as uPlot wants them, smoothing, and words about them.
import uPlot from "uplot";

/** One line. `low` and `high` are the least and the greatest of each bucket, so that no spike is lost. */
export interface Line {
  name: string;
  x: ArrayLike<number>;
  y: ArrayLike<number | null>;
  low?: ArrayLike<number | null> | undefined;
  high?: ArrayLike<number | null> | undefined;
  /** A colour of tokens.css, "--c1" to "--c8"; by its place without. */
  colour?: string;
  dash?: boolean;
}

/** Something that happened at an x: a checkpoint, a continuation, an alert. */
export interface Mark {
  x: number;
  label: string;
  tone?: "plain" | "warn" | "bad";
}

export const COLOURS = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8"];
/** Columns of a line in the aligned table: low, high, raw, shown. */
export const COLUMNS = 4;

type Values = (number | null)[];

/** Lines of different x, aligned: x, then low, high, raw and smoothed of each line. */
export function aligned(lines: readonly Line[], smoothing: number, log: boolean): uPlot.AlignedData {
  if (!lines.length) return [[]];
  const tables = lines.map((line): uPlot.AlignedData => {
    const y = plottable(line.y, log);
    const low = line.low ? plottable(line.low, log) : y.map(() => null);
    const high = line.high ? plottable(line.high, log) : low;
    return [Array.from(line.x), low, high, smoothing ? y : y.map(() => null), smoothed(y, smoothing)];
  });
  return uPlot.join(tables);
}

// What has no place on the scale is a gap: nothing, not a number, and on a logarithmic one what is not positive.
function plottable(values: ArrayLike<number | null>, log: boolean): Values {
  return Array.from(values, (v) => (v !== null && Number.isFinite(v) && !(log && v <= 0) ? v : null));
}

/** An exponential mean that does not start at zero; `weight` in [0, 1) is how much of the past stays. */
export function smoothed(values: Values, weight: number): Values {
  if (!weight) return values;
  let mean = 0;
  let mass = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return mean / mass;
  });
}

/** A line in numbers: first, last, least and greatest of what is finite. */
export function summary(line: Line): { first: number; last: number; least: number; greatest: number } | null {
  const finite = Array.from(line.y).filter((v): v is number => v !== null && Number.isFinite(v));
  const [first] = finite;
  const last = finite.at(-1);
  if (first === undefined || last === undefined) return null;
  let least = first;
  let greatest = first;
  for (const values of [finite, Array.from(line.low ?? []), Array.from(line.high ?? [])]) {
    for (const v of values) {
      if (v === null || !Number.isFinite(v)) continue;
      if (v < least) least = v;
      if (v > greatest) greatest = v;
    }
  }
  return { first, last, least, greatest };
}

/** All lines as rows of a table: x, then a column for each. */
export function table(lines: readonly Line[], axis: string): (string | number | null)[][] {
  const [x = [], ...columns] = uPlot.join(
    lines.map((line): uPlot.AlignedData => [Array.from(line.x), Array.from(line.y)]),
  );
  const head = [axis, ...lines.map((line) => line.name)];
  return [head, ...Array.from(x, (value, i) => [value, ...columns.map((column) => column[i] ?? null)])];
}
