/** PURE: how many values came within the last minute, from a counter that only rises. Time in milliseconds. */

const WINDOW_MS = 60_000;

export class MinuteCounter {
  readonly #samples: { at: number; total: number }[] = [];
  #roseAt: number | null = null;

  /** Values a minute; in the first minute, as many as it would come to. */
  sample(total: number, at: number): number {
    const last = this.#samples.at(-1);
    if (last && total > last.total) this.#roseAt = at;
    this.#samples.push({ at, total });
    while ((this.#samples[1]?.at ?? Infinity) <= at - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0];
    if (!first || at <= first.at) return 0;
    return Math.round(((total - first.total) * WINDOW_MS) / (at - first.at));
  }

  /** How long ago the counter rose; null: not yet. */
  quietFor(at: number): number | null {
    return this.#roseAt === null ? null : at - this.#roseAt;
  }
}
