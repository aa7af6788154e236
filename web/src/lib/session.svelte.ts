// Who the visitor is. A request that meets a closed session waits for `signIn`; the dialog opens over the page, so that
// nothing typed is lost, and every waiting request goes on when it closes.

export type Role = "viewer" | "annotator" | "engineer" | "admin";
const ranks: Role[] = ["viewer", "annotator", "engineer", "admin"];

interface Session {
  role: Role;
  name: string;
  version: string;
  workspace: string;
  /** It was said once; from then on the page stays, also while somebody signs in again. */
  known: boolean;
  /** The dialog is open. */
  wanted: boolean;
}

export const session = $state<Session>({ role: "viewer", name: "", version: "", workspace: "", known: false, wanted: false });
let waiting: (() => void)[] = [];

/** Ask for the token; resolves when the session is open again. */
export function signIn(): Promise<void> {
  session.wanted = true;
  return new Promise((resolve) => waiting.push(resolve));
}

/** The session is open: let what waited go on. */
export function signedIn(who: { role: Role; name: string; version: string; workspace: string | null }): void {
  Object.assign(session, { ...who, workspace: who.workspace ?? "", known: true, wanted: false });
  const resume = waiting;
  waiting = [];
  for (const go of resume) go();
}

/** Whether the visitor may do what needs `role`. The service refuses it in any case; the page does not offer it. */
export function may(role: Role): boolean {
  return ranks.indexOf(session.role) >= ranks.indexOf(role);
}
