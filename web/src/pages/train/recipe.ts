// A recipe as the form changes it: plain values, never altered in place.
export type Values = Record<string, unknown>;

/** The value at a dotted place; undefined where there is none. */
export function at(values: Values, place: string): unknown {
  return place.split(".").reduce<unknown>((found, key) => (isMap(found) ? found[key] : undefined), values);
}

/** The values with another at a dotted place; undefined takes it out, and with it what is empty then. */
export function put(values: Values, place: string, value: unknown): Values {
  const [key = "", ...rest] = place.split(".");
  const { [key]: old, ...others } = values;
  const made = rest.length ? put(isMap(old) ? old : {}, rest.join("."), value) : value;
  const gone = made === undefined || (rest.length > 0 && isMap(made) && !Object.keys(made).length);
  if (gone) return others;
  return key in values ? { ...values, [key]: made } : { ...others, [key]: made };
}

/** A component in a recipe: `name`, or `{name: ..., setting: ...}`. */
export function chosen(value: unknown): { name: string; settings: Values } {
  if (!isMap(value)) return { name: typeof value === "string" ? value : "", settings: {} };
  const { name, ...settings } = value;
  return { name: String(name ?? ""), settings };
}

/** The same, as short as it can be said. */
export function component(name: string, settings: Values): unknown {
  return Object.keys(settings).length ? { name, ...settings } : name;
}

function isMap(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a JSON Schema says of one setting, as far as a form can use it. */
export interface Rule {
  kind: "number" | "whole" | "yes" | "choice" | "text" | "other";
  choices: string[];
  usual: unknown;
  least: number | undefined;
  most: number | undefined;
}

interface Schema {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

const kinds: Record<string, Rule["kind"]> = { number: "number", integer: "whole", boolean: "yes", string: "text" };

export function ruleOf(schema: Schema): Rule {
  // What may be null is not given.
  const inner = schema.anyOf?.find((one) => one.type !== "null") ?? schema;
  const kind = inner.enum ? "choice" : (kinds[inner.type ?? ""] ?? "other");
  return {
    kind,
    choices: (inner.enum ?? []).map(String),
    usual: schema.default ?? undefined,
    least: inner.minimum ?? inner.exclusiveMinimum,
    most: inner.maximum ?? inner.exclusiveMaximum,
  };
}

export function propertiesOf(schema: unknown): [string, Schema][] {
  return Object.entries((schema as { properties?: Record<string, Schema> }).properties ?? {});
}
