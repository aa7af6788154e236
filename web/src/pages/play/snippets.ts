// The request of the page as programs of others: each is complete and runs as it stands.
import { type Body, type Way, routes } from "./ways";

export const languages = ["curl", "openai", "tunesmith"] as const;
export type Language = (typeof languages)[number];

const KEY = "TUNESMITH_API_KEY";

/** A program that sends this request to the service at `url`. The key, where one is needed, is in the environment. */
export function snippet(language: Language, way: Way, body: Body, url: string): string {
  return { curl, openai, tunesmith }[language](way, body, url);
}

function curl(way: Way, body: Body, url: string): string {
  const json = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
  return [
    `curl ${body.stream ? "-N " : ""}${url}${routes[way]} \\`,
    `  -H "Authorization: Bearer \${${KEY}:-none}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${json}'`,
  ].join("\n");
}

function openai(way: Way, body: Body, url: string): string {
  const head = [
    "import os",
    "",
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url="${url}/v1", api_key=os.environ.get("${KEY}", "none"))`,
  ];
  const call = { chat: "client.chat.completions.create", complete: "client.completions.create", embed: "client.embeddings.create" }[
    way as string
  ];
  if (way === "embed") return program(head, `answer = ${call}(`, body, [")", "for row in answer.data:", "    print(row.embedding[:8])"]);
  if (call) {
    const text = way === "chat" ? "chunk.choices[0].delta.content" : "chunk.choices[0].text";
    return program(head, `stream = ${call}(`, body, [
      ")",
      "for chunk in stream:",
      "    if chunk.choices:",
      `        print(${text} or "", end="", flush=True)`,
      "print()",
    ]);
  }
  // OpenAI's API has no such route; its client sends and reads any.
  const path = routes[way].replace("/v1", "");
  return [...head, "answer = client.post(", `    "${path}",`, `    body=${python(body, 1)},`, "    cast_to=object,", ")", "print(answer)", ""].join("\n");
}

function tunesmith(way: Way, body: Body, url: string): string {
  const head = ["import os", "", "import tunesmith", "", `client = tunesmith.Client("${url}", os.environ.get("${KEY}"))`];
  const { model, messages, prompt, input, stream, stream_options, logprobs, top_logprobs, ...settings } = body;
  void [stream, stream_options, logprobs, top_logprobs]; // the client gives text, not events
  const options = { model, ...settings };
  switch (way) {
    case "chat":
      return program(head, `for piece in client.stream(\n    ${python(messages, 1)},`, options, [
        "):",
        '    print(piece, end="", flush=True)',
        "print()",
      ]);
    case "complete":
      return program(head, `text = client.complete(\n    ${python(prompt, 1)},`, options, [")", "print(text)"]);
    case "answer": {
      const { question, context } = input as { question: string; context: string };
      return program(head, `answers = client.answer(\n    ${python(question, 1)},\n    ${python(context, 1)},`, options, [
        ")",
        "print(answers[0])",
      ]);
    }
    default:
      return program(head, `rows = client.${way}(\n    ${python(input, 1)},`, options, [")", "for row in rows:", "    print(row)"]);
  }
}

function program(head: string[], call: string, wishes: Body, tail: string[]): string {
  const keywords = Object.entries(wishes).map(([name, value]) => `    ${name}=${python(value, 1)},`);
  return [...head, call, ...keywords, ...tail, ""].join("\n");
}

/** A value as Python writes it. */
function python(value: unknown, depth = 0): string {
  const [inside, outside] = ["    ".repeat(depth + 1), "    ".repeat(depth)];
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const short = Array.isArray(value)
    ? `[${value.map((one) => python(one)).join(", ")}]`
    : `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${python(one)}`).join(", ")}}`;
  if (short.length < 90 && !short.includes("\n")) return short;
  if (Array.isArray(value)) return `[\n${value.map((one) => `${inside}${python(one, depth + 1)},\n`).join("")}${outside}]`;
  const rows = Object.entries(value).map(([key, one]) => `${inside}${JSON.stringify(key)}: ${python(one, depth + 1)},\n`);
  return `{\n${rows.join("")}${outside}}`;
}
