/** The curves of a chart: read from history, then followed live. */
import { ApiError } from "../api";
import { link } from "../live/link.svelte";
import { values } from "../live/values.svelte";
import type { Alert, Datastream, Page, Value } from "../model";
import { session } from "../session.svelte";
import { readTracks } from "./history";
import { isPreset, spanOf, writtenRange, type Range, type Span } from "./range";
import { addLive, dropBefore, unfollowed, type Track } from "./track";

export type Progress = "loading" | "ready" | "failed";

/** Live values go into the curves at most so often; a long range moves more seldom. */
const TICK_MS = 1_000;
/** A range this much longer than a tick does not visibly move by one. */
const STILL = 2_000;
/** Of each datastream, while history is being read. */
const MOST_WAITING = 1_000;
const MOST_ALERTS = 200;
/** What live values cannot continue (days, how long a state lasted) is read again so often. */
const AGAIN_MS = 60_000;

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
  #thing = "";
  #datastreams: readonly Datastream[] = [];
  #range: Range = "1h";
  #readAt = 0;
  /** What the curves are the answer to. */
  #answered = "";

  /** Shows a range of some datastreams of one thing. The same again: read anew; the old curves stay meanwhile. */
  begin(thing: string, datastreams: readonly Datastream[], range: Range): void {
    this.end();
    if (keysOf(datastreams) !== keysOf(this.#datastreams)) this.tracks = [];
    this.#stop = new AbortController();
    this.#thing = thing;
    this.#datastreams = datastreams;
    this.#range = range;
    this.span = spanOf(range, link.now());
    this.progress = "loading";
    if (isPreset(range)) this.#unhear = values.onMoved((moved) => moved.has(thing) && this.#hear());
    void this.#read(this.#stop.signal);
  }

  end(): void {
    this.#stop.abort();
    this.#unhear();
    clearInterval(this.#timer);
    this.#waiting.clear();
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { span } = this;
    const asked = `${keysOf(this.#datastreams)} ${writtenRange(this.#range)}`;
    clearInterval(this.#timer);
    this.#readAt = link.now();
    try {
      const [tracks, alerts] = await Promise.all([
        readTracks(session.api, this.#datastreams, span, signal),
        session.api.get<Page<Alert>>(
          "/alerts",
          { thing: this.#thing, state: ["firing", "resolved"], limit: MOST_ALERTS },
          signal,
        ),
      ]);
      if (signal.aborted) return;
      this.tracks = tracks;
      this.alerts = alerts.items;
      this.progress = "ready";
      this.#answered = asked;
      this.#tick();
      const every = Math.max(TICK_MS, (span.to - span.from) / STILL);
      if (isPreset(this.#range)) this.#timer = setInterval(() => this.#tick(), every);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      if (asked !== this.#answered) this.tracks = [];
      this.trouble = error.message;
      this.progress = "failed";
    }
  }

  #hear(): void {
    const newest = values.peek(this.#thing);
    for (const { key } of this.#datastreams) {
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
    if (this.tracks.some(unfollowed) && link.now() - this.#readAt > AGAIN_MS)
      return void this.#read(this.#stop.signal);
    for (const track of this.tracks) {
      for (const { phenomenon_time: time, result, quality } of this.#waiting.get(track.datastream) ?? [])
        addLive(track, Date.parse(time), result, quality);
      dropBefore(track, this.span.from - track.period);
    }
    this.#waiting.clear();
    this.tracks = [...this.tracks];
  }
}

const keysOf = (datastreams: readonly Datastream[]): string => datastreams.map((one) => one.key).join();
