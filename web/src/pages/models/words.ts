// How models are called and measured in words.
import { number } from "../../lib/format";
import { has, locale, t } from "../../lib/i18n.svelte";

/** The address of a model's page. */
export function hrefOf(name: string): string {
  return `/models/${encodeURIComponent(name)}`;
}

/** A number of parameters as people say it: 22.7 M, 1.5 B. */
export function sizeOf(parameters: number | null): string {
  if (!parameters) return "–";
  const steps: [number, string][] = [
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "K"],
  ];
  const [size, unit] = steps.find(([size]) => parameters >= size) ?? [1, ""];
  return `${number(parameters / size, 3)}${unit && ` ${unit}`}`;
}

/** Languages by their names, the first few of many. */
export function languageNames(codes: string[], most = 3): string {
  const names = new Intl.DisplayNames(locale(), { type: "language", fallback: "code" });
  const name = (code: string) => (has(`models.language_${code}`) ? t(`models.language_${code}`) : names.of(code));
  const said = codes.slice(0, most).map(name);
  return said.join(t("models.comma")) + (codes.length > most ? "…" : "") || "–";
}

/** A word that the service uses for a thing, in the visitor's language where it has one. */
export function word(prefix: string, value: string | null): string {
  if (!value) return "–";
  const key = `models.${prefix}_${value}`;
  return has(key) ? t(key) : value;
}

/** Whether a model can be asked over HTTP as it is: encoders have to be trained for a task first. */
export function isServable(model: { name: string; kind: string | null; installed: boolean; problem?: string | null }): boolean {
  return model.installed && !model.problem && model.name !== "tfidf" && !["encoder", "masked"].includes(model.kind ?? "");
}
