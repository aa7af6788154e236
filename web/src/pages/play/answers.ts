// Asks a model and tells of the answer as it comes: text with its tokens, or what a task found.
import { refused, send } from "../../lib/api";
import { type Body, routes, type Way } from "./ways";

export interface Token {
  text: string;
  /** Between 0 and 1; null where it is not known. */
  likely: number | null;
  others: { text: string; likely: number }[];
}

export interface Answer {
  way: Way;
  model: string;
  body: Body;
  /** By which the service knows it, for feedback. */
  id: string;
  text: string;
  tokens: Token[];
  /** What the route of a task answered. */
  found: unknown;
  state: "waiting" | "going" | "done" | "stopped" | "failed";
  error: Error | null;
  /** Seconds to the first word and to the last. */
  first: number | null;
  total: number | null;
  written: number | null;
  finish: string | null;
}

export function begun(way: Way, model: string, body: Body): Answer {
  return {
    way, model, body, id: "", text: "", tokens: [], found: null, state: "waiting", error: null,
    first: null, total: null, written: null, finish: null,
  };
}

/** Ask, and call `tell` with the answer so far, at most once a frame. Never throws. */
export async function ask(answer: Answer, tell: (answer: Answer) => void, signal: AbortSignal): Promise<void> {
  const start = performance.now();
  const since = () => (performance.now() - start) / 1000;
  const said = { ...answer };
  const frame = framed(() => tell({ ...said }));
  try {
    const response = await send("POST", routes[answer.way], { body: answer.body, signal });
    said.id = response.headers.get("x-request-id") ?? "";
    if (!response.ok) throw await refused(response, `POST ${routes[answer.way]}`);
    if (answer.body.stream) {
      for await (const event of events(response)) {
        if (hears(said, event)) said.first ??= since();
        said.state = "going";
        frame.soon();
      }
    } else said.found = await response.json();
    said.state = "done";
  } catch (error) {
    said.state = signal.aborted ? "stopped" : "failed";
    said.error = signal.aborted ? null : (error as Error);
  }
  said.total = since();
  frame.now();
}

interface Chunk {
  id?: string;
  error?: { message: string };
  usage?: { completion_tokens: number } | null;
  choices?: Choice[];
}
interface Choice {
  text?: string;
  delta?: { content?: string | null };
  finish_reason?: string | null;
  logprobs?: ChatLikelihoods | TextLikelihoods | null;
}
interface ChatLikelihoods {
  content: { token: string; bytes: number[]; logprob: number; top_logprobs: { token: string; logprob: number }[] }[];
}
interface TextLikelihoods {
  tokens: string[];
  token_logprobs: (number | null)[];
  top_logprobs: (Record<string, number> | null)[];
}

/** Take in one event; whether it brought text. */
function hears(said: Answer, event: Chunk): boolean {
  if (event.error) throw new Error(event.error.message);
  said.id = event.id ?? said.id;
  said.written = event.usage?.completion_tokens ?? said.written;
  const choice = event.choices?.[0];
  if (!choice) return false;
  const text = choice.delta?.content ?? choice.text ?? "";
  said.text += text;
  said.finish = choice.finish_reason ?? said.finish;
  if (choice.logprobs) said.tokens = [...said.tokens, ...tokensOf(choice.logprobs)];
  return text !== "";
}

function tokensOf(said: ChatLikelihoods | TextLikelihoods): Token[] {
  if ("content" in said) {
    return said.content.map(({ token, logprob, top_logprobs }) => ({
      text: token,
      likely: Math.exp(logprob),
      others: top_logprobs.map((top) => ({ text: top.token, likely: Math.exp(top.logprob) })),
    }));
  }
  return said.tokens.map((text, i) => ({
    text,
    likely: exp(said.token_logprobs[i]),
    others: Object.entries(said.top_logprobs[i] ?? {}).map(([text, logprob]) => ({ text, likely: Math.exp(logprob) })),
  }));
}

function exp(logprob: number | null | undefined): number | null {
  return logprob === null || logprob === undefined ? null : Math.exp(logprob);
}

/** Server-sent events of an answer. */
async function* events(response: Response): AsyncGenerator<Chunk> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  while (reader) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (left + value).split("\n");
    left = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data: {")) yield JSON.parse(line.slice(6)) as Chunk;
  }
}

/** Calls something once a frame, however often it is asked for. */
function framed(call: () => void) {
  let asked = 0;
  return {
    soon() {
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        call();
      });
    },
    now() {
      cancelAnimationFrame(asked);
      call();
    },
  };
}
