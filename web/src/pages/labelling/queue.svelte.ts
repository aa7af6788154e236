// The items before somebody, and their decisions on the way to the service. A decision is made at once here, written
// down in this browser, and sent until the service has it: lost networks, reloads and restarts lose nothing, and a
// decision that is sent twice counts once, by the name it was given.
import { announce } from "../../lib/announce.svelte";
import { api, ApiError, path } from "../../lib/api";
import { keep, recall } from "../../lib/kept";
import type { Answer, Decision, Item, Items, Kept, Progress } from "./types";

// Whoever has a network holds at least LOW items, so that as many can be decided about without one.
const AHEAD = 50;
const LOW = 30;
const AT_ONCE = 50;
const RETRY_MS = [500, 1000, 2000, 4000];

interface Made {
  item: Item;
  decision: Decision;
}

export class Queue {
  items = $state.raw<Item[]>([]);
  made = $state.raw<Made[]>([]);
  /** How many steps back in `made` one looks; 0 is the queue. */
  back = $state(0);
  progress = $state.raw<Progress | undefined>(undefined);
  unsent = $state.raw<Decision[]>([]);
  /** The service could not be reached the last time. */
  offline = $state(false);
  /** The service has been asked, and has nothing more for this person. */
  empty = $state(false);
  #since = performance.now();
  #sending = false;
  #asking = false;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly project: string) {
    this.unsent = JSON.parse(recall(this.#place()) ?? "[]") as Decision[];
  }

  get current(): Item | undefined {
    return this.back ? this.made.at(-this.back)?.item : this.items[0];
  }

  /** What was decided about the item one looks at again. */
  get before(): Decision | undefined {
    return this.back ? this.made.at(-this.back)?.decision : undefined;
  }

  start(): void {
    void this.#send();
    void this.more();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  decide(kind: "label" | "skip", answer: Answer | undefined, suggested: Answer | undefined): void {
    const item = this.current;
    if (!item) return;
    const seconds = Math.round(performance.now() - this.#since) / 1000;
    const decision: Decision = { event: name(), item: item.number, kind, seconds };
    if (kind === "label" && answer) decision.answer = $state.snapshot(answer) as Answer;
    if (suggested) decision.suggested = $state.snapshot(suggested) as Answer;
    if (this.back) {
      this.made = this.made.with(-this.back, { item, decision });
      this.back -= 1;
    } else {
      this.made = [...this.made, { item, decision }];
      this.items = this.items.slice(1);
    }
    this.#later([decision]);
  }

  /** The same answer for several of the items ahead. */
  decideAll(items: Item[], answer: (item: Item) => Answer | undefined): void {
    const seconds = Math.round((performance.now() - this.#since) / Math.max(1, items.length)) / 1000;
    const made: Made[] = [];
    for (const item of items) {
      const given = answer(item);
      if (given) made.push({ item, decision: { event: name(), item: item.number, kind: "label", answer: given, suggested: given, seconds } });
    }
    const numbers = new Set(made.map(({ item }) => item.number));
    this.made = [...this.made, ...made];
    this.items = this.items.filter((item) => !numbers.has(item.number));
    this.#later(made.map(({ decision }) => decision));
  }

  /** Take the last decision back and have its item again. */
  undo(): boolean {
    const last = this.made.at(-1);
    if (!last) return false;
    this.back = 0;
    this.made = this.made.slice(0, -1);
    this.items = [last.item, ...this.items];
    this.#later([{ event: name(), item: last.item.number, kind: "undo", undoes: last.decision.event }]);
    return true;
  }

  look(step: number): void {
    this.back = Math.max(0, Math.min(this.made.length, this.back + step));
    this.#since = performance.now();
  }

  /** Ask for more items. The service gives those again that this person holds: known ones are left out. */
  async more(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const found = await api.post<Items>(path("/api/labelling/{name}/next", { name: this.project }), { count: AHEAD });
      const known = new Set([...this.items, ...this.made.map(({ item }) => item)].map((item) => item.number));
      const waiting = new Set(this.unsent.map((decision) => decision.item));
      const fresh = found.items.filter((item) => !known.has(item.number) && !waiting.has(item.number));
      if (!this.items.length) this.#since = performance.now();
      this.items = [...this.items, ...fresh];
      // A full answer without anything new is of items whose decisions are still on their way.
      this.empty = fresh.length === 0 && found.items.length < AHEAD;
      this.offline = false;
    } catch (error) {
      this.#failed(error as ApiError);
    } finally {
      this.#asking = false;
    }
  }

  #place(): string {
    return `label.unsent.${this.project}`;
  }

  #later(decisions: Decision[]): void {
    this.#since = performance.now();
    this.unsent = [...this.unsent, ...decisions];
    keep(this.#place(), JSON.stringify(this.unsent));
    void this.#send();
    if (this.items.length < LOW && !this.empty) void this.more();
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    clearTimeout(this.#timer);
    try {
      while (this.unsent.length) await this.#sendSome(this.unsent.slice(0, AT_ONCE));
    } catch (error) {
      this.#failed(error as ApiError);
    } finally {
      this.#sending = false;
    }
  }

  async #sendSome(some: Decision[]): Promise<void> {
    try {
      const kept = await api.post<Kept>(path("/api/labelling/{name}/decisions", { name: this.project }), { decisions: some });
      this.progress = kept.progress;
      this.#tries = 0;
      this.offline = false;
    } catch (error) {
      // What the service refuses for good must not hold up the rest.
      if (!(error instanceof ApiError) || !refusedForGood(error.status)) throw error;
      if (some.length > 1) return this.#sendSome(some.slice(0, 1));
      announce(error.message, { bad: true });
    }
    this.unsent = this.unsent.slice(some.length);
    keep(this.#place(), JSON.stringify(this.unsent));
    if (!this.unsent.length && !this.items.length) void this.more();
  }

  #failed(error: Error): void {
    if (error instanceof ApiError && refusedForGood(error.status)) announce(error.message, { bad: true });
    else {
      this.offline = true;
      const wait = RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)];
      this.#tries += 1;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.start(), wait);
    }
  }
}

function refusedForGood(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function name(): string {
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
}
