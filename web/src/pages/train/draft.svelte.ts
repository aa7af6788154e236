// What is being filled in. The service keeps it, so that a reload, another tab or a restart loses nothing.
import { api } from "../../lib/api";
import type { Schema } from "../../lib/types";
import type { Values } from "./recipe";

const WAIT_MS = 500;

export interface Content {
  dataset: string;
  name: string;
  values: Values;
}

export class Draft {
  content = $state.raw<Content>({ dataset: "", name: "", values: {} });
  ready = $state(false);
  busy = $state(false);
  error = $state.raw<Error>();
  #wait: ReturnType<typeof setTimeout> | undefined;

  /** Take up what was left; another data set in the address begins anew. */
  async open(dataset: string): Promise<void> {
    try {
      const { content } = await api.get<Schema<"Draft">>("/api/drafts/train");
      if (content) this.content = content as unknown as Content;
    } catch (error) {
      this.error = error as Error;
    }
    if (dataset && dataset !== this.content.dataset) await this.propose(dataset);
    this.ready = true;
  }

  /** A recipe that suits a data set and a task takes the place of what is there. */
  async propose(dataset: string, task?: string): Promise<void> {
    this.busy = true;
    this.error = undefined;
    try {
      const found = await api.post<Schema<"RecipeProposal">>("/api/recipes/proposal", { dataset, task: task ?? null });
      this.change({ dataset, name: found.name, values: found.values as Values });
    } catch (error) {
      this.error = error as Error;
    }
    this.busy = false;
  }

  change(changes: Partial<Content>): void {
    this.content = { ...this.content, ...changes };
    clearTimeout(this.#wait);
    this.#wait = setTimeout(() => void this.keep(), WAIT_MS);
  }

  async keep(): Promise<void> {
    clearTimeout(this.#wait);
    await api.put("/api/drafts/train", { content: this.content }).catch((error: Error) => (this.error = error));
  }
}
