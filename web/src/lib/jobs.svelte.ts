// The work that goes on by itself, known on every page: jobs, newest first, kept current by events.
import { announce } from "./announce.svelte";
import { api } from "./api";
import { follow, type LiveEvent } from "./events.svelte";
import { has, t } from "./i18n.svelte";
import { Loaded } from "./load.svelte";
import type { Schema } from "./types";

export type Job = Schema<"JobEntry">;

const SHOWN = 200;
const over = ["finished", "failed", "cancelled"];

export const jobs = new Loaded<Job[]>(async (signal) => {
  const list = await api.get<Schema<"JobList">>("/api/jobs", { limit: SHOWN }, signal);
  return list.jobs;
});

/** Jobs that wait or run. */
export function activeJobs(): Job[] {
  return (jobs.value ?? []).filter((job) => !over.includes(job.status));
}

/** Follow jobs until the returned function is called. */
export function startJobs(): () => void {
  void jobs.reload();
  return follow("jobs", { event: changed, reset: () => void jobs.reload() });
}

function changed(event: LiveEvent): void {
  const fresh = event.jobs as Job[];
  const known = jobs.value ?? [];
  for (const job of fresh) tellEnd(job, known.find((old) => old.id === job.id));
  const ids = new Set(fresh.map((job) => job.id));
  const rest = known.filter((job) => !ids.has(job.id));
  jobs.value = [...fresh, ...rest].sort((a, b) => b.created - a.created).slice(0, SHOWN);
  jobs.at = Date.now();
}

function tellEnd(job: Job, before: Job | undefined): void {
  if (!over.includes(job.status) || !before || over.includes(before.status)) return;
  announce(t(`jobs.now_${job.status}`, { title: titleOf(job) }), { bad: job.status === "failed" });
}

/** What the job is called: its own words, or for kinds of ours the sentence. */
export function titleOf(job: Job): string {
  const key = `jobs.title_${job.title.replace(".", "_")}`;
  return has(key) ? t(key) : job.title;
}

export function kindOf(job: Job): string {
  const key = `jobs.kind_${job.kind}`;
  return has(key) ? t(key) : job.kind;
}

/** Where the work of a job can be looked at. */
export function hrefOf(job: Job): string | null {
  if (!job.subject) return null;
  const data = ["profile", "clean", "overlap", "import"];
  return data.includes(job.kind) ? `/data/${job.subject}` : `/runs/${job.subject}`;
}
