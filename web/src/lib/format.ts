// Numbers and times as the visitor writes them. A figure never shows more digits than it means.
import { locale, t } from "./i18n.svelte";

/** At most `digits` significant digits: 0.8374, 12,345, 1.2e-7. */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(Math.min(digits, 3) - 1);
  if (Number.isInteger(value) || size >= 10 ** digits) return Math.round(value).toLocaleString(locale());
  return value.toLocaleString(locale(), { maximumSignificantDigits: digits });
}

/** A share between 0 and 1 as per cent, with one decimal. */
export function percent(share: number | null | undefined, decimals = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  return share.toLocaleString(locale(), { style: "percent", maximumFractionDigits: decimals });
}

/** Bytes in the units that memory and disks are sold in: 1.5 GiB. */
export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined || !Number.isFinite(count)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = count < 1 ? 0 : Math.min(Math.floor(Math.log2(count) / 10), units.length - 1);
  return `${number(count / 2 ** (10 * step), 3)} ${units[step]}`;
}

/** Seconds in words: 850 ms, 12 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 1) return t("shell.milliseconds", { n: Math.round(seconds * 1000) });
  if (seconds < 60) return t("shell.seconds", { n: seconds < 10 ? Math.round(10 * seconds) / 10 : Math.round(seconds) });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t("shell.minutes", { n: minutes, s: Math.round(seconds % 60) });
  const hours = Math.floor(minutes / 60);
  return hours < 48
    ? t("shell.hours", { n: hours, m: minutes % 60 })
    : t("shell.days", { n: Math.floor(hours / 24), h: hours % 24 });
}

type Moment = string | number | Date | null | undefined;

/** A moment as date and time. */
export function moment(when: Moment): string {
  const date = dateOf(when);
  return date ? date.toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" }) : "–";
}

/** The time of day, with seconds. */
export function clock(when: Moment): string {
  return dateOf(when)?.toLocaleTimeString(locale(), { hour12: false }) ?? "–";
}

/** How long ago: "3 minutes ago", "yesterday". */
export function ago(when: Moment, now = Date.now()): string {
  const date = dateOf(when);
  if (!date) return "–";
  const seconds = (date.getTime() - now) / 1000;
  const words = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ];
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return words.format(0, "second");
}

// Seconds since 1970 (as Python counts), milliseconds, or ISO 8601.
function dateOf(when: Moment): Date | null {
  if (when === null || when === undefined || when === "") return null;
  const date = new Date(typeof when === "number" && when < 1e11 ? when * 1000 : when);
  return Number.isNaN(date.getTime()) ? null : date;
}
