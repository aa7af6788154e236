// Light, dark, or as the system says.
import { keep, recall } from "./kept";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const night = matchMedia("(prefers-color-scheme: dark)");
const state = $state<{ theme: Theme; night: boolean }>({
  theme: themes.find((theme) => theme === recall("theme")) ?? "system",
  night: night.matches,
});
night.addEventListener("change", () => (state.night = night.matches));

export function theme(): Theme {
  return state.theme;
}

/** Whether the page is dark now; a canvas reads it to be drawn anew. */
export function dark(): boolean {
  return state.theme === "system" ? state.night : state.theme === "dark";
}

export function setTheme(theme: Theme = state.theme): void {
  state.theme = theme;
  document.documentElement.dataset.theme = theme;
  keep("theme", theme);
}

const colours = new Map<string, string>();

/** A colour of tokens.css as the canvas wants it, e.g. `colour("--c1")`. The browser is asked once for each theme. */
export function colour(token: string): string {
  const key = `${token} ${dark()}`;
  const value = colours.get(key) ?? computed(token);
  colours.set(key, value);
  return value;
}

function computed(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
