// Words for what the service names: states, series, metrics, events. A metric of somebody's own keeps its name.
import { number, percent } from "../../lib/format";
import { has, t } from "../../lib/i18n.svelte";
import type { Schema } from "../../lib/types";

export type Facts = Schema<"RunFacts">;
export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

export const statuses = ["running", "finished", "stopped", "failed", "interrupted"] as const;

export const tones: Record<Facts["status"], Tone> = {
  running: "accent",
  finished: "good",
  stopped: "plain",
  failed: "bad",
  interrupted: "warn",
};

/** The word of a group for a name, or the name with spaces. */
function word(group: string, name: string): string {
  return has(`runs.${group}_${name}`) ? t(`runs.${group}_${name}`) : name.replaceAll("_", " ");
}

export const statusWord = (status: string) => word("status", status);
export const stageWord = (stage: string) => word("stage", stage);
export const eventWord = (event: string) => word("event", event);
export const taskWord = (task: string) => word("task", task);
export const metricWord = (metric: string) => word("metric", metric);
/** A baseline by its name; a model keeps its own. */
export const modelWord = (name: string) => (has(`runs.name_${name}`) ? t(`runs.name_${name}`) : name);
export const alertWord = (alert: string) => word("alert", alert);
export const alertAdvice = (alert: string) => word("advice", alert);

/** `train/grad_norm`, `validation/accuracy` in words. */
export function seriesWord(key: string): string {
  const [kind = "", name = ""] = key.split(/\/(.*)/s);
  return kind === "train" ? word("series", name) : t("runs.series_validation", { metric: metricWord(name) });
}

const SHARES = /accuracy|f1|precision|recall|exact_match|share|hit|rate$|map|mrr|ndcg/;

/** A figure of a metric: shares as per cent, other figures as numbers. Files write NaN and infinity as words. */
export function figure(metric: string, value: number | string | null | undefined): string {
  const plain = typeof value === "string" ? Number(value) : value;
  if (plain === null || plain === undefined) return "–";
  return SHARES.test(metric) && Math.abs(plain) <= 1 ? percent(plain) : number(plain);
}

/** A difference with its sign and no unit: of shares in points of per cent. */
export function signed(metric: string, value: number): string {
  const sign = value > 0 ? "+" : value < 0 ? "−" : "±";
  return sign + (SHARES.test(metric) ? number(100 * Math.abs(value), 3) : number(Math.abs(value)));
}

/** The same with its unit. */
export function difference(metric: string, value: number): string {
  return SHARES.test(metric) ? t("runs.points", { n: signed(metric, value) }) : signed(metric, value);
}

/** How a p-value is told: no more digits than it means. */
export function chance(p: number): string {
  return p < 0.001 ? "p < 0.001" : `p = ${number(p, 2)}`;
}
