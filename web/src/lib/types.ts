// What the service answers, by the name of its response model: `Schema<"RunList">`. See README: npm run types.
import type { components } from "./schema";

export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];
