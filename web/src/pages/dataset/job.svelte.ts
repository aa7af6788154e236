// A job that a page asked for: it is followed until it is over, whatever becomes of the page in between.
import { api } from "../../lib/api";
import { follow } from "../../lib/events.svelte";
import type { Schema } from "../../lib/types";

type Job = Schema<"JobEntry">;
const over = ["finished", "failed", "cancelled"];

function end(job: Job): void {
  void api.post(`/api/jobs/${job.id}/cancel`).catch(() => undefined);
}

export class Work {
  job = $state.raw<Job>();
  error = $state.raw<Error>();
  #done: (job: Job) => void;
  #turn = 0;

  constructor(done: (job: Job) => void = () => {}) {
    this.#done = done;
    $effect(() => follow("jobs", { event: (event) => this.#heard(event.jobs as Job[] | undefined), reset: this.look }));
  }

  get busy(): boolean {
    return this.job !== undefined && !over.includes(this.job.status);
  }

  /** Ask for a job. */
  async ask(wishes: object): Promise<void> {
    this.error = undefined;
    const turn = ++this.#turn;
    try {
      const job = await api.post<Job>("/api/jobs", wishes);
      if (turn === this.#turn) this.job = job;
      else end(job);
    } catch (error) {
      if (turn === this.#turn) this.error = error as Error;
    }
  }

  /** Let go of it and end it: its answer is not wanted any more. */
  drop(): void {
    this.#turn += 1;
    if (this.job && this.busy) end(this.job);
    this.job = undefined;
  }

  /** Take up one that is already there, and has all that is wanted. */
  async find(wanted: Partial<Job>): Promise<void> {
    const { jobs } = await api.get<Schema<"JobList">>("/api/jobs", { limit: 50 });
    const has = (job: Job) => Object.entries(wanted).every(([name, value]) => job[name as keyof Job] === value);
    const mine = jobs.find((job) => has(job) && !over.includes(job.status));
    if (mine) this.job = mine;
  }

  look = async (): Promise<void> => {
    if (this.busy && this.job) this.#heard([await api.get<Job>(`/api/jobs/${this.job.id}`)]);
  };

  #heard(jobs: Job[] | undefined): void {
    const mine = jobs?.find((job) => job.id === this.job?.id);
    if (!mine) return void (jobs ? 0 : this.look());
    const was = this.busy;
    this.job = mine;
    if (was && !this.busy) this.#done(mine);
  }
}
