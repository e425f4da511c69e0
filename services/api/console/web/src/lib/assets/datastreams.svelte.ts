/** What is measured of a thing and how often: read when a thing comes on the screen, kept until the city changes. */
import { SvelteMap } from "svelte/reactivity";
import { ApiError } from "../api";
import type { Datastream } from "../model";
import { session } from "../session.svelte";

/** Things in one request (docs/operator-api.md). */
const MOST = 100;

class Measured {
  readonly #things = new SvelteMap<string, readonly Datastream[]>();
  readonly #wanted = new Set<string>();
  #revision = 0;
  #asking = false;

  /** undefined: not known yet; it is asked for. */
  of(thing: string): readonly Datastream[] | undefined {
    return this.#things.get(thing);
  }

  want(things: readonly string[], revision: number): void {
    if (revision !== this.#revision) {
      this.#things.clear();
      this.#revision = revision;
    }
    for (const thing of things) if (!this.#things.has(thing)) this.#wanted.add(thing);
    if (!this.#asking) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      while (this.#wanted.size) {
        const things = [...this.#wanted].slice(0, MOST);
        for (const thing of things) this.#wanted.delete(thing);
        this.#put(things, await session.api.all<Datastream>("/datastreams", { thing: things }));
      }
    } catch (error) {
      // Without periods nothing is told stale; whoever comes on the screen next asks again.
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#asking = false;
    }
  }

  #put(things: readonly string[], datastreams: readonly Datastream[]): void {
    const byThing = new Map(things.map((thing): [string, Datastream[]] => [thing, []]));
    for (const one of datastreams) byThing.get(one.thing)?.push(one);
    for (const [thing, own] of byThing) this.#things.set(thing, own);
  }
}

export const measured = new Measured();
