/** PURE: which things have fallen silent. Time is given, Unix milliseconds. */
import type { Value } from "../model";

/** How often something reports. */
export interface Cadence {
  datastream_id: number;
  thing: string;
  period_seconds: number;
}

/** A reading or two may be lost on the way; a thing is silent when this many are missing. */
const MISSED = 3;
/** The way through broker, ingest and stream. */
const WAY_MS = 30_000;

/** Counts with the newest value of each datastream: a thing is silent when all of them are overdue. */
export class Freshness {
  readonly #allowed = new Map<number, number>();
  /** By thing, until when it counts as fresh. */
  readonly #until = new Map<string, number>();
  readonly #moved = new Set<string>();

  /** begun: things that have not been heard by then plus their period are silent. */
  constructor(cadences: readonly Cadence[], begun: number) {
    for (const { datastream_id, thing, period_seconds } of cadences) {
      const allowed = MISSED * period_seconds * 1_000 + WAY_MS;
      this.#allowed.set(datastream_id, allowed);
      this.#until.set(thing, Math.max(this.#until.get(thing) ?? 0, begun + WAY_MS));
      this.#moved.add(thing);
    }
  }

  /** These things' values moved: looked at when it is asked next. */
  moved(things: Iterable<string>): void {
    for (const thing of things) if (this.#until.has(thing)) this.#moved.add(thing);
  }

  silent(now: number, valuesOf: (thing: string) => ReadonlyMap<string, Value>): Set<string> {
    for (const thing of this.#moved) this.#look(thing, valuesOf(thing));
    this.#moved.clear();
    const silent = new Set<string>();
    for (const [thing, until] of this.#until) if (now > until) silent.add(thing);
    return silent;
  }

  #look(thing: string, values: ReadonlyMap<string, Value>): void {
    let until = -Infinity;
    for (const value of values.values()) {
      const allowed = this.#allowed.get(value.datastream_id);
      if (allowed !== undefined) until = Math.max(until, Date.parse(value.phenomenon_time) + allowed);
    }
    if (until > -Infinity) this.#until.set(thing, until);
  }
}
