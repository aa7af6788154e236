// Live data. One stream per tab carries every topic the page follows; a hidden tab closes its own, so that many tabs do
// not use up the browser's connections, and takes up where it was. The service names each event by a cursor, which tells
// of every topic how far it was read; when it does not know ours any more it says `reset`, and followers read their
// state anew. Nothing is reloaded.
import { send } from "./api";
import { address } from "./router.svelte";
import { session } from "./session.svelte";

export interface LiveEvent {
  topic: string;
  /** How far the topic is told by this. */
  place: string;
  [field: string]: unknown;
}

export interface Follower {
  /** Something happened in the topic. */
  event?: (event: LiveEvent) => void;
  /**
   * What is known may be out of date: read it again. Called when the topic begins to be followed, since something may
   * have happened after the page read it, and after every gap that events do not fill.
   */
  reset?: () => void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
// The service sends a heartbeat every 15 s; a stream that is silent for longer is dead, whatever the browser thinks.
const SILENCE_MS = 40_000;

interface Live {
  connected: boolean;
  /** When the last word came, in milliseconds since 1970. */
  heard: number;
}

export const live = $state<Live>({ connected: true, heard: Date.now() });

const followers = new Map<string, Set<Follower>>();
let source: EventSource | null = null;
let cursor = "";
let open = ""; // topics of the open stream
let retry = FIRST_RETRY_MS;
let timer: ReturnType<typeof setTimeout> | undefined;
let watch: ReturnType<typeof setTimeout> | undefined;
let planned = false;

/** Follow a topic (`jobs`, `deployments`, `run:ID`) until the returned function is called. */
export function follow(topic: string, follower: Follower): () => void {
  const group = followers.get(topic) ?? new Set();
  followers.set(topic, group.add(follower));
  plan();
  return () => {
    group.delete(follower);
    if (!group.size) followers.delete(topic);
    plan();
  };
}

// Topics change in bursts while a page is put together: the stream follows once, afterwards.
function plan(): void {
  if (planned) return;
  planned = true;
  setTimeout(() => {
    planned = false;
    if (topics() !== open) connect();
  });
}

function topics(): string {
  return [...followers.keys()].sort().join(",");
}

function close(): void {
  source?.close();
  source = null;
  open = "";
  clearTimeout(timer);
  clearTimeout(watch);
}

function connect(): void {
  const wanted = topics();
  close();
  if (!wanted || document.hidden) return;
  open = wanted;
  source = new EventSource(address("/api/events", { topics: wanted, cursor }));
  source.onopen = heard;
  source.onerror = lost;
  source.onmessage = (message: MessageEvent<string>) => {
    heard();
    if (message.lastEventId) cursor = message.lastEventId;
    tell(JSON.parse(message.data) as LiveEvent);
  };
  source.addEventListener("heartbeat", heard);
  source.addEventListener("reset", (message) => {
    heard();
    cursor = (message as MessageEvent<string>).lastEventId || "";
    for (const group of followers.values()) for (const follower of group) follower.reset?.();
  });
  clearTimeout(watch);
  watch = setTimeout(lost, SILENCE_MS);
}

function heard(): void {
  live.connected = true;
  live.heard = Date.now();
  retry = FIRST_RETRY_MS;
  clearTimeout(watch);
  watch = setTimeout(lost, SILENCE_MS);
}

// An EventSource gives up for good on an HTTP error, so the next try is always ours.
function lost(): void {
  live.connected = false;
  close();
  timer = setTimeout(connect, retry);
  if (retry > FIRST_RETRY_MS) void isSignedIn();
  retry = Math.min(retry * 2, LAST_RETRY_MS);
}

// A stream that is refused does not say why. Where the session has ended, trying again helps nobody.
async function isSignedIn(): Promise<void> {
  const answer = await send("GET", "/api/session").catch(() => null);
  if (answer?.ok && !((await answer.json()) as { role: string | null }).role) session.wanted = true;
}

function tell(event: LiveEvent): void {
  for (const follower of followers.get(event.topic) ?? []) {
    if (event.begun) follower.reset?.();
    else follower.event?.(event);
  }
}

document.addEventListener("visibilitychange", () => (document.hidden ? close() : connect()));
addEventListener("offline", lost);
addEventListener("online", () => {
  retry = FIRST_RETRY_MS;
  connect();
});
