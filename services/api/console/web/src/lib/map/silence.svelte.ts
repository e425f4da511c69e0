/** Which things have fallen silent, looked at every few seconds while somebody sees the map. */
import { ApiError } from "../api";
import { link } from "../live/link.svelte";
import { values } from "../live/values.svelte";
import { session } from "../session.svelte";
import { Freshness, type Cadence } from "./freshness";

const LOOK_EVERY_MS = 4_000;

class Silence {
  things = $state.raw<ReadonlySet<string>>(new Set());
  #freshness: Freshness | null = null;
  #revision = -1;

  /** Gives what ends it. revision: of the registry whose datastreams are meant. */
  watch(revision: number): () => void {
    let ended = false;
    void this.#read(revision, () => ended);
    const deaf = values.onMoved((things) => this.#freshness?.moved(things));
    const timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    return () => {
      ended = true;
      deaf();
      clearInterval(timer);
    };
  }

  async #read(revision: number, ended: () => boolean): Promise<void> {
    try {
      // Also when it is known already: values moved while nobody looked at the map.
      const cadences =
        this.#revision === revision ? this.#cadences : await session.api.all<Cadence>("/datastreams");
      if (ended()) return;
      this.#revision = revision;
      this.#cadences = cadences.map(({ datastream_id, thing, period_seconds }) => ({
        datastream_id,
        thing,
        period_seconds,
      }));
      this.#freshness = new Freshness(this.#cadences, link.now());
    } catch (error) {
      // Without it the map shows nothing as silent; the next look at the map asks again.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  #cadences: readonly Cadence[] = [];

  #look(): void {
    // While the view is not live, the silence is the console's own.
    if (!this.#freshness || !link.live) return;
    const silent = this.#freshness.silent(link.now(), (thing) => values.peek(thing));
    if (silent.size !== this.things.size || [...silent].some((thing) => !this.things.has(thing)))
      this.things = silent;
  }
}

export const silence = new Silence();
