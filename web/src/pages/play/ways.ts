// The ways to ask a model: which route each takes and what it sends. The page asks as anybody does.

export const ways = [
  "chat", "complete", "classify", "tag", "answer", "translate", "summarise", "score", "embed",
] as const;
export type Way = (typeof ways)[number];

/** What the service says a model does -> the ways it can be asked. */
export const byTask: Record<string, Way[]> = {
  generate: ["chat", "complete"],
  classify: ["classify"],
  tag: ["tag"],
  answer: ["answer"],
  translate: ["translate"],
  summarise: ["summarise"],
  score: ["score"],
  embed: ["embed"],
};

export const routes: Record<Way, string> = {
  chat: "/v1/chat/completions",
  complete: "/v1/completions",
  classify: "/v1/classify",
  tag: "/v1/tag",
  answer: "/v1/answer",
  translate: "/v1/translate",
  summarise: "/v1/summarise",
  score: "/v1/score",
  embed: "/v1/embeddings",
};

export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

/** What is asked; `question` is only for answers from a text. */
export interface Wish {
  text: string;
  question: string;
  system: string;
  settings: Settings;
}

export interface Settings {
  temperature: number | null;
  top_p: number | null;
  max_tokens: number | null;
  seed: number | null;
  /** Tell how likely each token was. */
  likely: boolean;
}

export type Body = Record<string, unknown>;

/** Alternatives told of beside each token. */
const TOPS = 5;

export function isText(way: Way): boolean {
  return way === "chat" || way === "complete";
}

/** The request for one model; `before` are the turns of a chat so far. */
export function bodyOf(way: Way, model: string, wish: Wish, before: Message[]): Body {
  const { likely, ...numbers } = wish.settings;
  const wishes = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== null && value !== undefined));
  const streamed = { ...wishes, stream: true, stream_options: { include_usage: true } };
  switch (way) {
    case "chat": {
      const system: Message[] = wish.system.trim() ? [{ role: "system", content: wish.system }] : [];
      const messages = [...system, ...before, { role: "user", content: wish.text }];
      return { model, messages, ...streamed, ...(likely ? { logprobs: true, top_logprobs: TOPS } : {}) };
    }
    case "complete":
      return { model, prompt: wish.text, ...streamed, ...(likely ? { logprobs: TOPS } : {}) };
    case "answer":
      return { model, input: { question: wish.question, context: wish.text } };
    case "embed":
      return { model, input: linesOf(wish.text) };
    default:
      return { model, input: wish.text };
  }
}

/** Texts to be compared, one a line. */
export function linesOf(text: string): string[] {
  const lines = text.split("\n").filter((line) => line.trim());
  return lines.length ? lines : [text];
}
