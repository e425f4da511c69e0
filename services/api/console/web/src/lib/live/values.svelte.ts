/** The newest value of every datastream, and which things' values moved.
 *
 * Five thousand values a second come in: they go into a plain map, and what is on the screen is told once a
 * frame at most. A component that shows a thing reads `values.of(thing)`; only then is it drawn again, and only
 * when that thing moved. */
import { createSubscriber } from "svelte/reactivity";
import type { Value } from "../model";

/** Datastreams of one thing, by key. */
export type Values = ReadonlyMap<string, Value>;

const NONE: Values = new Map();

class NewestValues {
  readonly #things = new Map<string, Map<string, Value>>();
  readonly #watchers = new Map<string, { subscribe: () => void; tell: () => void }>();
  readonly #listeners = new Set<(things: ReadonlySet<string>) => void>();
  #moved = new Set<string>();
  #frame = 0;
  /** Values taken since the console was opened. */
  taken = 0;

  /** What a stream brought. */
  take(values: readonly Value[]): void {
    for (const value of values) {
      let own = this.#things.get(value.thing);
      if (!own) this.#things.set(value.thing, (own = new Map()));
      own.set(value.datastream, value);
      this.#moved.add(value.thing);
    }
    this.taken += values.length;
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#tell());
  }

  /** A thing's values; in a component, it is drawn again when they move. */
  of(thing: string): Values {
    this.#watcher(thing).subscribe();
    return this.#things.get(thing) ?? NONE;
  }

  /** Without being told of changes. */
  peek(thing: string): Values {
    return this.#things.get(thing) ?? NONE;
  }

  /** Once a frame at most: the things whose values moved. Gives what ends it. */
  onMoved(listener: (things: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  clear(): void {
    this.#things.clear();
    for (const watcher of this.#watchers.values()) watcher.tell();
  }

  #watcher(thing: string): { subscribe: () => void; tell: () => void } {
    let watcher = this.#watchers.get(thing);
    if (!watcher) {
      let tell = (): void => undefined;
      const subscribe = createSubscriber((update) => {
        tell = update;
        return () => this.#watchers.delete(thing);
      });
      this.#watchers.set(thing, (watcher = { subscribe, tell: () => tell() }));
    }
    return watcher;
  }

  #tell(): void {
    this.#frame = 0;
    const moved = this.#moved;
    this.#moved = new Set();
    for (const [thing, watcher] of this.#watchers) if (moved.has(thing)) watcher.tell();
    for (const listener of this.#listeners) listener(moved);
  }
}

export const values = new NewestValues();
