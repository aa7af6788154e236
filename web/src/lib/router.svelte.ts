// Where the visitor is. The address is the state: what a page shows follows from its parameters and its query, so that
// a link, a reload and the back button all come to the same.
import { type PageName, routes } from "./routes";

export type Query = Record<string, string>;
type Wish = string | number | boolean | null | undefined;

export interface Place {
  page: PageName;
  params: Record<string, string>;
  query: Query;
  path: string;
}

/** The place an address names; an unknown address is the page `lost`. */
export function placeOf(address: string): Place {
  const url = new URL(address, location.origin);
  const query = Object.fromEntries(url.searchParams);
  for (const [pattern, page] of routes) {
    const params = match(pattern, url.pathname);
    if (params) return { page, params, query, path: url.pathname };
  }
  return { page: "lost", params: {}, query, path: url.pathname };
}

function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.replace(/(.)\/$/, "$1").split("/");
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const word = given[i] ?? "";
    if (part.startsWith(":") && word) params[part.slice(1)] = decode(word);
    else if (part !== word) return null;
  }
  return params;
}

function decode(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

const now = $state({ place: placeOf(location.href) });

/** The current place; reading it in a component follows it. */
export const route = {
  get page() {
    return now.place.page;
  },
  get path() {
    return now.place.path;
  },
  get params() {
    return now.place.params;
  },
  get query() {
    return now.place.query;
  },
};

/** Go to an address of this page. */
export function go(address: string, { replace = false } = {}): void {
  const moved = placeOf(address).path !== now.place.path;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  now.place = placeOf(location.href);
  if (moved) scrollTo(0, 0);
}

/** Change parts of the query (null or "" removes one) and stay on the page. */
export function setQuery(changes: Record<string, Wish>, { replace = true } = {}): void {
  go(address(now.place.path, { ...now.place.query, ...changes }), { replace });
}

/** An address with a query, without its empty parts. */
export function address(path: string, query: Record<string, Wish> = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) search.set(key, String(value));
  }
  return search.size ? `${path}?${search}` : path;
}

function follow(event: MouseEvent): void {
  const anchor = (event.target as Element | null)?.closest?.("a");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!anchor || !plain || event.defaultPrevented || anchor.target || anchor.hasAttribute("download")) return;
  const url = new URL(anchor.href, location.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/") || url.hash) return;
  event.preventDefault();
  go(url.pathname + url.search);
}

/** Follow links and the back button. Links are plain `<a href>`. */
export function startRouter(): void {
  addEventListener("popstate", () => (now.place = placeOf(location.href)));
  document.addEventListener("click", follow);
}
