// Every page of the Studio: its address, its code, its place in the rail. Pages are loaded when they are visited.
import type { Component } from "svelte";

interface Loaded {
  default: Component;
}

export const pages = {
  home: () => import("../pages/home/Page.svelte"),
  data: () => import("../pages/data/Page.svelte"),
  dataset: () => import("../pages/dataset/Page.svelte"),
  label: () => import("../pages/label/Page.svelte"),
  labelling: () => import("../pages/labelling/Page.svelte"),
  models: () => import("../pages/models/Page.svelte"),
  model: () => import("../pages/model/Page.svelte"),
  train: () => import("../pages/train/Page.svelte"),
  runs: () => import("../pages/runs/Page.svelte"),
  run: () => import("../pages/run/Page.svelte"),
  compare: () => import("../pages/compare/Page.svelte"),
  evaluate: () => import("../pages/evaluate/Page.svelte"),
  play: () => import("../pages/play/Page.svelte"),
  attention: () => import("../pages/attention/Page.svelte"),
  serve: () => import("../pages/serve/Page.svelte"),
  keys: () => import("../pages/keys/Page.svelte"),
  jobs: () => import("../pages/jobs/Page.svelte"),
  settings: () => import("../pages/settings/Page.svelte"),
  lost: () => import("../pages/lost/Page.svelte"),
} satisfies Record<string, () => Promise<Loaded>>;

export type PageName = keyof typeof pages;

export const routes: [pattern: string, page: PageName][] = [
  ["/", "home"],
  ["/data", "data"],
  ["/data/:id", "dataset"],
  ["/label", "label"],
  ["/label/:id", "labelling"],
  ["/models", "models"],
  ["/models/:name", "model"],
  ["/train", "train"],
  ["/runs", "runs"],
  ["/runs/:id", "run"],
  ["/compare", "compare"],
  ["/evaluate/:run", "evaluate"],
  ["/play", "play"],
  ["/attention", "attention"],
  ["/serve", "serve"],
  ["/keys", "keys"],
  ["/jobs", "jobs"],
  ["/settings", "settings"],
];

interface Stop {
  page: PageName;
  href: string;
  /** The letter after `g` that goes there. */
  key: string;
  /** Pages that belong to this stop. */
  also?: PageName[];
}

/** The rail, in the order in which work is done. */
export const rail: Stop[][] = [
  [{ page: "home", href: "/", key: "h" }],
  [
    { page: "data", href: "/data", key: "d", also: ["dataset"] },
    { page: "label", href: "/label", key: "l", also: ["labelling"] },
    { page: "models", href: "/models", key: "m", also: ["model"] },
    { page: "train", href: "/train", key: "t" },
    { page: "runs", href: "/runs", key: "r", also: ["run", "evaluate"] },
    { page: "compare", href: "/compare", key: "c" },
  ],
  [
    { page: "play", href: "/play", key: "p" },
    { page: "attention", href: "/attention", key: "a" },
    { page: "serve", href: "/serve", key: "s" },
    { page: "keys", href: "/keys", key: "k" },
  ],
  [
    { page: "jobs", href: "/jobs", key: "j" },
    { page: "settings", href: "/settings", key: "," },
  ],
];
