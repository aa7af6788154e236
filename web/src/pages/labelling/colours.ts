// A colour for each label, by its place; told apart by every kind of colour vision as long as there are eight.
import type { Label } from "./types";

export function colours(labels: Label[]): (label: string) => string {
  const places = new Map(labels.map((label, at) => [label.name, (at % 8) + 1]));
  return (label) => `var(--c${places.get(label) ?? 8})`;
}
