// An answer as one writes it in a line.
import { t } from "../../lib/i18n.svelte";
import type { Answer } from "./types";

export function said(answer: Answer | null | undefined): string {
  if (!answer) return "–";
  if (answer.choice) return t(`label.choice_${answer.choice}`);
  if (answer.spans) return answer.spans.map(({ start, end, label }) => `${label} ${start}–${end}`).join(", ") || t("label.nothing");
  if (answer.answers) return answer.answers.map(({ text }) => text).join(", ") || t("label.nothing");
  if (answer.labels) return answer.labels.join(", ") || t("label.nothing");
  return String(answer.label ?? answer.rating ?? answer.text ?? "–");
}
