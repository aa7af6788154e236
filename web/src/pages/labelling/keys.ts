// The keys of the page. Labels have theirs from the project; what the page itself does can be bound anew.
import { keep, recall } from "../../lib/kept";

export const actions = ["accept", "skip", "undo", "previous", "next", "search", "bulk", "suggestions", "remove", "help"] as const;
export type Action = (typeof actions)[number];
export type Bindings = Record<Action, string>;

export const usual: Bindings = {
  accept: "Enter",
  skip: " ",
  undo: "z",
  previous: "[",
  next: "]",
  search: "/",
  bulk: "b",
  suggestions: "h",
  remove: "Delete",
  help: "?",
};

export function bound(): Bindings {
  try {
    return { ...usual, ...(JSON.parse(recall("label.keys") ?? "{}") as Partial<Bindings>) };
  } catch {
    return { ...usual };
  }
}

export function bind(bindings: Bindings): void {
  keep("label.keys", JSON.stringify(bindings));
}

/** The key of an event, alike for full-width forms, which Chinese input methods give. */
export function keyOf(event: KeyboardEvent): string {
  const key = event.key;
  if (key.length !== 1) return key;
  const code = key.charCodeAt(0);
  if (code === 0x3000) return " ";
  const plain = code > 0xff00 && code < 0xff5f ? String.fromCharCode(code - 0xfee0) : key;
  return plain.toLowerCase();
}

/** What an action does for a key; Backspace undoes as well. */
export function actionOf(bindings: Bindings, key: string): Action | undefined {
  return actions.find((action) => bindings[action].toLowerCase() === key.toLowerCase()) ?? (key === "Backspace" ? "undo" : undefined);
}

/** How a key is written. */
export function shown(key: string): string {
  return key === " " ? "Space" : key === "Delete" ? "Del" : key.length === 1 ? key.toUpperCase() : key;
}
