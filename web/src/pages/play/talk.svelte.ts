// What was asked and answered on the page. Every model of a chat has its own side of the conversation.
import { keep, recall } from "../../lib/kept";
import { type Answer, ask, begun } from "./answers";
import { type Body, bodyOf, type Message, type Settings, type Way, type Wish } from "./ways";

export interface Turn {
  id: number;
  way: Way;
  wish: Wish;
  answers: Record<string, Answer>;
}

export class Talk {
  turns = $state.raw<Turn[]>([]);
  /** What is being typed; a reload of the page keeps it. */
  text = $state(recall("play.text") ?? "");
  question = $state(recall("play.question") ?? "");
  system = $state(recall("play.system") ?? "");
  settings = $state<Settings>({ temperature: null, top_p: null, max_tokens: null, seed: null, likely: true });
  #stop: AbortController | null = $state.raw(null);
  #count = 0;

  constructor() {
    $effect(() => {
      keep("play.text", this.text);
      keep("play.question", this.question);
      keep("play.system", this.system);
    });
  }

  get going(): boolean {
    return this.#stop !== null;
  }

  get wish(): Wish {
    const { text, question, system } = this;
    return { text, question, system, settings: { ...this.settings } };
  }

  /** What would be sent now; what was sent last where nothing is being typed. */
  body(way: Way, model: string): Body {
    const last = this.turns.at(-1);
    const sent = last?.way === way ? last.answers[model]?.body : undefined;
    return !this.text && sent ? sent : bodyOf(way, model, this.wish, this.#before(way, model));
  }

  async send(way: Way, models: string[]): Promise<void> {
    const wish = this.wish;
    const answers = Object.fromEntries(
      models.map((model) => [model, begun(way, model, bodyOf(way, model, wish, this.#before(way, model)))]),
    );
    const turn: Turn = { id: ++this.#count, way, wish, answers };
    this.turns = way === "chat" ? [...this.turns.filter((one) => one.way === "chat"), turn] : [turn];
    if (way === "chat") this.text = "";
    const stop = (this.#stop = new AbortController());
    await Promise.all(models.map((model) => ask(answers[model] as Answer, (so) => this.#tell(turn.id, so), stop.signal)));
    if (this.#stop === stop) this.#stop = null;
  }

  /** The service is told by the closed connection, and computes no further. */
  stop = (): void => this.#stop?.abort();

  clear = (): void => {
    this.stop();
    this.turns = [];
  };

  #tell(id: number, answer: Answer): void {
    this.turns = this.turns.map((turn) =>
      turn.id === id ? { ...turn, answers: { ...turn.answers, [answer.model]: answer } } : turn,
    );
  }

  #before(way: Way, model: string): Message[] {
    if (way !== "chat") return [];
    return this.turns.flatMap((turn): Message[] => {
      const answer = turn.answers[model];
      if (turn.way !== "chat" || !answer?.text) return [];
      return [
        { role: "user", content: turn.wish.text },
        { role: "assistant", content: answer.text },
      ];
    });
  }
}
