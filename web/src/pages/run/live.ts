// What follows a run while it works: reads again when it said something, at most once a second.
import { follow } from "../../lib/events.svelte";

const PAUSE_MS = 1000;

/** Call `again` when the run says something; returns what ends it. */
export function watch(run: string, again: () => unknown): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  const later = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      last = Date.now();
      again();
    }, Math.max(0, last + PAUSE_MS - Date.now()));
  };
  const leave = follow(`run:${run}`, { event: later, reset: later });
  return () => {
    clearTimeout(timer);
    leave();
  };
}
