// The first word with the service: who is this? A token in the address, as it is printed at the start, opens a session
// and is then taken out of the address and of the history.
import { type Role, session, signedIn } from "../lib/session.svelte";
import { send } from "../lib/api";
import { go, route, setQuery } from "../lib/router.svelte";

export interface Who {
  role: Role;
  name?: string | null;
}

export async function openSession(): Promise<void> {
  const token = route.query.token;
  if (token) {
    setQuery({ token: null });
    if (await enter(token)) return;
  }
  const answer = await send("GET", "/api/session").catch(() => null);
  if (answer?.ok) signedIn((await answer.json()) as Who);
  else if (answer?.status === 401) session.wanted = true;
}

/** Open a session with a token or a key; false where it is not taken. */
export async function enter(token: string): Promise<boolean> {
  const answer = await send("POST", "/api/session", { body: { token } }).catch(() => null);
  if (!answer?.ok) return false;
  signedIn((await answer.json()) as Who);
  return true;
}

/** Close the session and ask for a token again. */
export async function leave(): Promise<void> {
  await send("DELETE", "/api/session");
  go("/");
  session.wanted = true;
}
