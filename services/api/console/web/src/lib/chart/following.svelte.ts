/** The curves of a chart: read from history, then followed live. */
import { ApiError } from "../api";
import { link } from "../live/link.svelte";
import { values } from "../live/values.svelte";
import type { Alert, Datastream, Page, Value } from "../model";
import { session } from "../session.svelte";
import { readTracks } from "./history";
import { isPreset, spanOf, type Range, type Span } from "./range";
import { addLive, dropBefore, type Track } from "./track";

export type Progress = "loading" | "ready" | "failed";

/** Live values go into the curves at most so often; a long range moves more seldom. */
const TICK_MS = 1_000;
/** A range this much longer than a tick does not visibly move by one. */
const STILL = 2_000;
/** Of each datastream, while history is being read. */
const MOST_WAITING = 1_000;
const MOST_ALERTS = 200;

export class Following {
  progress = $state<Progress>("loading");
  /** The server's words. */
  trouble = $state("");
  tracks = $state.raw<readonly Track[]>([]);
  alerts = $state.raw<readonly Alert[]>([]);
  span = $state.raw<Span>({ from: 0, to: 1 });

  readonly #waiting = new Map<string, Value[]>();
  #stop = new AbortController();
  #unhear: () => void = () => undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #range: Range = "1h";

  /** Shows a range of some datastreams of one thing; what was shown before is given up. */
  begin(thing: string, datastreams: readonly Datastream[], range: Range): void {
    this.end();
    this.#stop = new AbortController();
    this.#range = range;
    this.span = spanOf(range, link.now());
    this.progress = "loading";
    const keys = datastreams.map((one) => one.key);
    if (isPreset(range))
      this.#unhear = values.onMoved((moved) => moved.has(thing) && this.#hear(thing, keys));
    void this.#read(thing, datastreams, this.#stop.signal);
  }

  end(): void {
    this.#stop.abort();
    this.#unhear();
    clearInterval(this.#timer);
    this.#waiting.clear();
  }

  async #read(thing: string, datastreams: readonly Datastream[], signal: AbortSignal): Promise<void> {
    const { span } = this;
    try {
      const [tracks, alerts] = await Promise.all([
        readTracks(session.api, datastreams, span, signal),
        session.api.get<Page<Alert>>(
          "/alerts",
          { thing, state: ["firing", "resolved"], limit: MOST_ALERTS },
          signal,
        ),
      ]);
      if (signal.aborted) return;
      this.tracks = tracks;
      this.alerts = alerts.items;
      this.progress = "ready";
      this.#tick();
      const every = Math.max(TICK_MS, (span.to - span.from) / STILL);
      if (isPreset(this.#range)) this.#timer = setInterval(() => this.#tick(), every);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.trouble = error.message;
      this.progress = "failed";
    }
  }

  #hear(thing: string, keys: readonly string[]): void {
    const newest = values.peek(thing);
    for (const key of keys) {
      const value = newest.get(key);
      if (!value) continue;
      const waiting = this.#waiting.get(key) ?? [];
      if (waiting.at(-1) === value) continue;
      waiting.push(value);
      if (waiting.length > MOST_WAITING) waiting.shift();
      this.#waiting.set(key, waiting);
    }
  }

  /** The range moves on, and what has come meanwhile is appended. */
  #tick(): void {
    if (!isPreset(this.#range)) return;
    this.span = spanOf(this.#range, link.now());
    for (const track of this.tracks) {
      for (const { phenomenon_time: time, result, quality } of this.#waiting.get(track.datastream) ?? [])
        addLive(track, Date.parse(time), result, quality);
      dropBefore(track, this.span.from - track.period);
    }
    this.#waiting.clear();
    this.tracks = [...this.tracks];
  }
}
