// The first word with the service: who is this? The token in the printed address is taken by the service itself.
import { send } from "../lib/api";
import { go } from "../lib/router.svelte";
import { type Role, session, signedIn } from "../lib/session.svelte";

const AGAIN_MS = 1000;

/** What the service knows of the visitor; without a role he is not signed in. */
interface Who {
  role: Role | null;
  name: string;
  version: string;
  workspace: string | null;
}

/** Ask until there is an answer: the service may be starting. */
export async function openSession(): Promise<void> {
  const answer = await send("GET", "/api/session").catch(() => null);
  if (answer?.ok) await meet(answer);
  else setTimeout(openSession, AGAIN_MS);
}

/** Open a session with a token or a key; false where it is not taken. */
export async function enter(token: string): Promise<boolean> {
  const answer = await send("POST", "/api/session", { body: { token } }).catch(() => null);
  return !!answer?.ok && meet(answer);
}

/** Close the session and ask for a token again. */
export async function leave(): Promise<void> {
  await send("DELETE", "/api/session");
  go("/");
  session.wanted = true;
}

async function meet(answer: Response): Promise<boolean> {
  const { role, ...who } = (await answer.json()) as Who;
  if (role) signedIn({ role, ...who });
  else session.wanted = true;
  return !!role;
}
