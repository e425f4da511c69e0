/** One device that is being watched: the last of what became of its messages, and the report for its maker. */
import { ApiError } from "../api";
import type { ServerEvent } from "../live/events";
import { LiveStream } from "../live/stream";
import { session } from "../session.svelte";
import type { ConformanceReport, Report } from "./model";

const MOST_SHOWN = 200;

export interface Shown {
  id: string;
  report: Report;
}

export class Watching {
  alive = $state(false);
  paused = $state(false);
  /** Newest first. */
  events = $state.raw<Shown[]>([]);
  messages = $state(0);
  report = $state.raw<ConformanceReport | null>(null);
  failure = $state("");
  readonly #stream: LiveStream;

  constructor(private readonly device: string) {
    this.#stream = new LiveStream(session.api, `/devices/${encodeURIComponent(device)}/watch`, {
      event: (event) => this.#take(event),
      alive: (alive) => (this.alive = alive),
    });
  }

  open(): void {
    this.#stream.open();
  }

  close(): void {
    this.#stream.close();
  }

  async judge(language: string): Promise<void> {
    try {
      this.report = await session.api.get<ConformanceReport>(
        `/devices/${encodeURIComponent(this.device)}/conformance`,
        { lang: language },
      );
      this.failure = "";
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failure = error.message;
    }
  }

  #take({ event, id, data }: ServerEvent): void {
    if (event !== "report") return;
    const report = data as Report;
    if (report.kind === "message") this.messages += 1;
    if (!this.paused) this.events = [{ id: id ?? "", report }, ...this.events].slice(0, MOST_SHOWN);
  }
}
