/** One live stream: opens it, opens it again when it breaks, and knows whether it is alive. */
import { ApiError, type Api } from "../api";
import { EventReader, type ServerEvent } from "./events";

/** A heartbeat comes every 5 s: after a missed one the view is no longer live (docs/operator-api.md). */
const SILENT_AFTER_MS = 7_500;
const AGAIN_AFTER_MS = [500, 1_000, 2_000, 4_000];

export interface Listener {
  event(event: ServerEvent): void;
  /** true: connected, and the server itself is following the data; false: what is shown may be old. */
  alive(alive: boolean): void;
}

export class LiveStream {
  #lastEventId: string | null = null;
  #stop: AbortController | null = null;
  #attempts = 0;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(
    private readonly api: Api,
    private readonly path: string,
    private readonly listener: Listener,
  ) {}

  open(): void {
    this.#ended = false;
    void this.#follow();
  }

  close(): void {
    this.#ended = true;
    clearTimeout(this.#silence);
    clearTimeout(this.#again);
    this.#stop?.abort();
  }

  /** Everything anew: something that the stream said could not be followed up. */
  refresh(): void {
    this.#lastEventId = null;
    this.#stop?.abort();
  }

  /** At once instead of after the pause, e.g. when the network is back. */
  retry(): void {
    if (this.#ended || this.#stop) return;
    clearTimeout(this.#again);
    void this.#follow();
  }

  async #follow(): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    try {
      this.#watch(stop);
      await this.#read(await this.api.stream(this.path, this.#lastEventId, stop.signal));
    } catch (error) {
      // An ended session cannot be mended by asking again; whoever holds the session knows already.
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) this.#ended = true;
    } finally {
      clearTimeout(this.#silence);
      stop.abort();
      this.#stop = null;
    }
    if (this.#ended) return;
    this.listener.alive(false);
    const pause = AGAIN_AFTER_MS[Math.min(this.#attempts++, AGAIN_AFTER_MS.length - 1)] ?? 4_000;
    this.#again = setTimeout(() => void this.#follow(), pause);
  }

  async #read(answer: Response): Promise<void> {
    if (!answer.body) return;
    const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const reader = new EventReader();
    for (;;) {
      const { done, value } = await pieces.read();
      if (done) return;
      for (const event of reader.read(value)) this.#take(event);
    }
  }

  #take(event: ServerEvent): void {
    if (this.#stop) this.#watch(this.#stop);
    this.#attempts = 0;
    if (event.event === "reset") this.#lastEventId = null;
    if (event.id) this.#lastEventId = event.id;
    this.listener.event(event);
    if (event.event === "snapshot") this.listener.alive(true);
    // A hello says it where the stream goes on from a known place; else the snapshot does.
    else if (event.event === "heartbeat" || (event.event === "hello" && this.#lastEventId))
      this.listener.alive((event.data as { following: boolean }).following);
  }

  /** A connection may die without a word: silence ends it. */
  #watch(stop: AbortController): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.listener.alive(false);
      stop.abort();
    }, SILENT_AFTER_MS);
  }
}
