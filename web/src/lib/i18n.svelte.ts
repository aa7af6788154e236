// Words in the visitor's language. `t("runs.title")` reads src/text/LANGUAGE/runs.json; `{name}` is filled in, and
// `{n|run|runs}` is the English plural of n.
import { keep, recall } from "./kept";

export const languages = { en: "English", zh: "简体中文" } as const;
export type Language = keyof typeof languages;
type Area = Record<string, string>;
type Words = Record<string, Area>;
type Values = Record<string, string | number>;

const loaders: Record<Language, () => Promise<{ words: Words }>> = {
  en: () => import("../text/en"),
  zh: () => import("../text/zh"),
};

const state = $state<{ language: Language; words: Words }>({ language: preferred(), words: {} });

function preferred(): Language {
  const wish = recall("language") ?? navigator.language;
  return wish.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function language(): Language {
  return state.language;
}

/** The language as Intl and the Accept-Language header name it. */
export function locale(): string {
  return state.language === "zh" ? "zh-CN" : "en-GB";
}

export async function setLanguage(language: Language = state.language): Promise<void> {
  const { words } = await loaders[language]();
  state.words = words;
  state.language = language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  keep("language", language);
}

/** A sentence by its key, "area.name". A key without words shows itself, so that it is seen. */
export function t(key: string, values: Values = {}): string {
  const dot = key.indexOf(".");
  const sentence = state.words[key.slice(0, dot)]?.[key.slice(dot + 1)];
  return sentence === undefined ? key : filled(sentence, values);
}

/** Whether there are words for a key; for words that name what the service made up, such as a metric. */
export function has(key: string): boolean {
  const dot = key.indexOf(".");
  return state.words[key.slice(0, dot)]?.[key.slice(dot + 1)] !== undefined;
}

function filled(sentence: string, values: Values): string {
  return sentence.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one !== undefined) return value === 1 ? one : (many ?? "");
    return typeof value === "number" ? value.toLocaleString(locale()) : value;
  });
}
