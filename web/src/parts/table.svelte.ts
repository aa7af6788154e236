// Rows fetched a page at a time, when they come into sight and the scrolling has slowed down.
import { SvelteMap } from "svelte/reactivity";

const SIZE = 100;
const KEPT = 60;
const PAUSE_MS = 50;

export class Pages<T> {
  error = $state.raw<Error | undefined>(undefined);
  #pages = new SvelteMap<number, readonly T[]>();
  #asked = new Set<number>();
  #fetch: (offset: number, limit: number) => Promise<readonly T[]>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(fetch: (offset: number, limit: number) => Promise<readonly T[]>) {
    this.#fetch = fetch;
  }

  /** The row, or nothing while it is on its way. */
  at(index: number): T | undefined {
    return this.#pages.get(Math.floor(index / SIZE))?.[index % SIZE];
  }

  /** Rows from `from` are in sight. */
  want(from: number, count: number): void {
    this.rest();
    const first = Math.floor(from / SIZE);
    const last = Math.floor((from + Math.max(count, 1) - 1) / SIZE);
    this.#timer = setTimeout(() => {
      for (let page = first; page <= last; page++) void this.#read(page);
    }, PAUSE_MS);
  }

  /** Nothing is in sight any more, or something else will be. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  async #read(page: number): Promise<void> {
    if (this.#asked.has(page)) return;
    this.#asked.add(page);
    try {
      this.#pages.set(page, await this.#fetch(page * SIZE, SIZE));
      this.error = undefined;
      this.#forget();
    } catch (error) {
      this.#asked.delete(page);
      this.error = error as Error;
    }
  }

  #forget(): void {
    const oldest = this.#pages.size > KEPT ? this.#pages.keys().next().value : undefined;
    if (oldest === undefined) return;
    this.#pages.delete(oldest);
    this.#asked.delete(oldest);
  }
}
