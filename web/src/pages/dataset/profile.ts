// The parts of a measured profile that the page shows, as the service's `data profile --json` has them.
export interface Example {
  file?: string;
  line?: number;
  text?: string;
}
export interface Problem {
  kind: string;
  severity: string;
  count: number;
  share: number;
  message: string;
  hint: string;
  examples: Example[];
}
interface Counts {
  start: number;
  width: number;
  counts: number[];
  beyond: number;
}
export interface Measured {
  rows: number;
  duplicates: { share: number } | null;
  issues: { counts: Record<string, number> } | null;
  lengths: { characters: { quantiles: Record<string, number>; histogram: Counts } };
  labels: { count: number; values: { label: string; rows: number }[] } | null;
  languages: { counts: Record<string, number> } | null;
  problems: Problem[];
}

export function binsOf({ start, width, counts }: Counts): { from: number; to: number; count: number }[] {
  return counts.map((count, i) => ({ from: start + i * width, to: start + (i + 1) * width, count }));
}

export function sharesOf(counts: Record<string, number>): { label: string; value: number }[] {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0) || 1;
  const shares = Object.entries(counts).map(([label, count]) => ({ label, value: count / total }));
  return shares.sort((a, b) => b.value - a.value).slice(0, 8);
}
