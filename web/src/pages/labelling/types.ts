// What the service tells of labelling. Places in texts count code points, as everywhere in the service.

export type Task = "class" | "multilabel" | "spans" | "answer" | "preference" | "rating" | "correction";

export interface Label {
  name: string;
  key: string;
  meaning: string;
}
export interface Span {
  start: number;
  end: number;
  label: string;
}
/** One of its fields is there, by the task. */
export interface Answer {
  label?: string;
  labels?: string[];
  spans?: Span[];
  answers?: { start: number; text: string }[];
  choice?: string;
  rating?: number;
  text?: string;
}
export interface Suggestion {
  by: string;
  answer: Answer;
  score: number;
}
export interface Decided {
  event: string;
  annotator: string;
  kind: string;
  answer: Answer | null;
  seconds: number;
  made: number;
}
export interface Item {
  number: number;
  content: Record<string, string>;
  why: string;
  suggested: Suggestion[];
  decisions: Decided[];
}
export interface Items {
  items: Item[];
  total: number;
}
export interface Progress {
  items: number;
  decided: number;
  decisions: number;
  skipped: number;
  settled: number;
  held: number;
  by: Record<string, number>;
}
export interface Project {
  name: string;
  task: Task;
  guideline: string;
  labels: Label[];
  source: string;
  overlap: number;
  order: string;
  scale: number;
  created: number;
  annotator: string;
  progress: Progress;
}
export interface Decision {
  event: string;
  item: number;
  kind: "label" | "skip" | "undo" | "settle";
  answer?: Answer;
  suggested?: Answer;
  seconds?: number;
  undoes?: string;
}
export interface Kept {
  kept: number;
  progress: Progress;
}
export interface Annotator {
  name: string;
  labelled: number;
  skipped: number;
  seconds: number;
  gold: number;
  gold_seen: number;
  with_others: number | null;
  took: number | null;
}
export interface Quality {
  quality: {
    alpha: number | null;
    fleiss: number | null;
    overlapping: number;
    pairs: { one: string; other: string; items: number; agreed: number; kappa: number | null }[];
    annotators: Annotator[];
    disputed: number[];
  };
  stopping: { curve: [number, number][]; held_out: number; expected_gain: number | null; advice: string };
}
