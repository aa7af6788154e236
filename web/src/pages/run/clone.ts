// A run's saved recipe as the beginning of the next: put where the page Train keeps what is filled in.
import { api, path } from "../../lib/api";
import { go } from "../../lib/router.svelte";
import type { Schema } from "../../lib/types";

export async function clone(run: string): Promise<void> {
  const { values } = await api.get<Schema<"SavedRecipe">>(path("/api/runs/{run}/recipe", { run }));
  const name = run.replace(/-[0-9a-f]{10}$/, "");
  await api.put("/api/drafts/train", { content: { dataset: "", name, values } });
  go("/train?step=3");
}
