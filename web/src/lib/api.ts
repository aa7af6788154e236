// The service's own HTTP API. Nothing happens in this page that curl could not do.
import { locale } from "./i18n.svelte";
import { address } from "./router.svelte";
import { signIn } from "./session.svelte";

type Params = Record<string, string | number | boolean | null | undefined>;

interface Wish {
  query?: Params;
  /** Sent as JSON; a File or Blob is sent as it is. */
  body?: unknown;
  signal?: AbortSignal;
}

/** What went wrong, in the visitor's language. `status` is 0 where the service could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string | null = null,
    readonly details: string = "",
  ) {
    super(message);
  }
}

/** Fill an address: `path("/api/runs/{id}/log", { id })`. */
export function path(pattern: string, names: Record<string, string>): string {
  return pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ""));
}

export const api = {
  get: <T>(path: string, query: Params = {}, signal?: AbortSignal) =>
    request<T>("GET", path, signal ? { query, signal } : { query }),
  post: <T>(path: string, body?: unknown, wish: Wish = {}) => request<T>("POST", path, { ...wish, body }),
  put: <T>(path: string, body?: unknown, wish: Wish = {}) => request<T>("PUT", path, { ...wish, body }),
  delete: <T>(path: string, wish: Wish = {}) => request<T>("DELETE", path, wish),
};

async function request<T>(method: string, path: string, wish: Wish): Promise<T> {
  const answer = await send(method, path, wish);
  if (answer.status === 401) {
    await signIn();
    return request<T>(method, path, wish);
  }
  if (!answer.ok) throw await refused(answer, `${method} ${path}`);
  const type = answer.headers.get("content-type") ?? "";
  if (answer.status === 204) return undefined as T;
  return (type.includes("json") ? await answer.json() : await answer.text()) as T;
}

/** The answer itself, for streams and files: headers are set, errors are not read. */
export async function send(method: string, path: string, { query, body, signal }: Wish = {}): Promise<Response> {
  const raw = body instanceof Blob;
  const headers: Record<string, string> = { "X-Tunesmith": "1", "Accept-Language": locale() };
  if (body !== undefined) headers["Content-Type"] = raw ? "application/octet-stream" : "application/json";
  try {
    return await fetch(address(path, query), {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, "", "unreachable", `${method} ${path}`);
  }
}

/** The error an answer tells of. */
export async function refused(answer: Response, what: string): Promise<ApiError> {
  const body = (await answer.json().catch(() => null)) as { error?: { message?: string; code?: string } } | null;
  const message = body?.error?.message ?? answer.statusText;
  const code = body?.error?.code ?? null;
  return new ApiError(answer.status, message, code, `${what} → ${answer.status}`);
}
