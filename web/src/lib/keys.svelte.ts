// Keys that do something: those of the page that is open, and those of every page. Nothing happens while one types, nor
// under an open dialog.
import { SvelteSet } from "svelte/reactivity";

export interface Shortcut {
  /** One key ("c"), or two in turn ("g r"). */
  keys: string;
  label: string;
  run: () => void;
}

const TOGETHER_MS = 1200;
const known = new SvelteSet<Shortcut>();
let first = "";
let since = 0;

/** Let keys do something while a component lives: `$effect(() => shortcut({ keys: "c", label: t("runs.compare"), run }))`. */
export function shortcut(wish: Shortcut): () => void {
  known.add(wish);
  return () => void known.delete(wish);
}

/** All that is known now, for the overlay. */
export function shortcuts(): Shortcut[] {
  return [...known];
}

/** Whether a key was meant for something that is being typed in. */
export function isTyping(event: KeyboardEvent): boolean {
  const at = event.target as HTMLElement | null;
  return event.isComposing || !!at?.closest?.("input, textarea, select, [contenteditable]");
}

function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event) || document.querySelector("dialog[open]")) return;
  const pair = Date.now() - since < TOGETHER_MS ? `${first} ${event.key}` : "";
  const found = [...known].find((one) => one.keys === pair) ?? [...known].find((one) => one.keys === event.key);
  first = event.key;
  since = Date.now();
  if (!found) return;
  event.preventDefault();
  first = "";
  found.run();
}

document.addEventListener("keydown", pressed);
