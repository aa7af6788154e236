// Something read from the service, with its four states: loading, empty is the page's own word, failed, stale.
import { ApiError } from "./api";

const RETRY_MS = 2000;

export class Loaded<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state.raw<ApiError | Error | undefined>(undefined);
  /** When `value` was read, in milliseconds since 1970. */
  at = $state(0);
  busy = $state(false);
  #read: (signal: AbortSignal) => Promise<T>;
  #current: AbortController | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(read: (signal: AbortSignal) => Promise<T>) {
    this.#read = read;
  }

  /** Read again; what is shown stays until the new answer is there. The last call wins. */
  reload = async (): Promise<void> => {
    this.stop();
    const mine = (this.#current = new AbortController());
    this.busy = true;
    try {
      const value = await this.#read(mine.signal);
      if (mine.signal.aborted) return;
      this.value = value;
      this.error = undefined;
      this.at = Date.now();
    } catch (error) {
      if (!mine.signal.aborted) this.#failed(error as Error);
    } finally {
      if (this.#current === mine) this.busy = false;
    }
  };

  /** Read no more. */
  stop(): void {
    this.#current?.abort();
    clearTimeout(this.#again);
  }

  // A service that could not be reached is asked again: it may be starting.
  #failed(error: Error): void {
    this.error = error;
    if (error instanceof ApiError && error.status === 0) this.#again = setTimeout(this.reload, RETRY_MS);
  }
}

/**
 * Read something while the component lives, and again whenever a rune that `read` reads changes:
 * `const runs = load((signal) => api.get<RunList>("/api/runs", { search: route.query.search }, signal))`.
 */
export function load<T>(read: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const loaded = new Loaded(read);
  $effect(() => {
    void loaded.reload();
    return () => loaded.stop();
  });
  return loaded;
}
