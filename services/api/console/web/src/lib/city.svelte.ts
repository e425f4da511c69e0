/** What the registry says: the city, its districts, things, what feeds what, and the catalogue. Read once, and when it changes. */
import { ApiError } from "./api";
import type { City, District, ObservedProperty, Relation, Rule, Thing } from "./model";
import { session } from "./session.svelte";

export type Loading = "loading" | "ready" | "no-city" | "failed";

class Registry {
  loading = $state<Loading>("loading");
  /** What went wrong, in the server's words. */
  trouble = $state("");
  city = $state.raw<City | null>(null);
  districts = $state.raw<ReadonlyMap<string, District>>(new Map());
  things = $state.raw<ReadonlyMap<string, Thing>>(new Map());
  relations = $state.raw<readonly Relation[]>([]);
  properties = $state.raw<ReadonlyMap<string, ObservedProperty>>(new Map());
  rules = $state.raw<ReadonlyMap<string, Rule>>(new Map());

  async load(): Promise<void> {
    this.trouble = "";
    try {
      const city = await session.api.get<City>("/city");
      if (this.city?.revision === city.revision && this.loading === "ready") return;
      await this.#read();
      this.city = city;
      this.loading = "ready";
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.trouble = error.message;
      if (error.kind === "no-city") this.loading = "no-city";
      else if (this.loading !== "ready") this.loading = "failed";
    }
  }

  clear(): void {
    this.loading = "loading";
    this.city = null;
  }

  async #read(): Promise<void> {
    const api = session.api;
    const [districts, things, relations, properties, rules] = await Promise.all([
      api.get<{ items: District[] }>("/districts", { geometry: true }),
      api.all<Thing>("/things", { geometry: true }),
      api.all<Relation>("/relations"),
      api.all<ObservedProperty>("/observed-properties"),
      api.get<{ items: Rule[] }>("/rules"),
    ]);
    this.districts = byKey(districts.items);
    this.things = byKey(things);
    this.relations = relations;
    this.properties = byKey(properties);
    this.rules = byKey(rules.items);
  }
}

function byKey<Item extends { key: string }>(items: readonly Item[]): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [item.key, item]));
}

export const registry = new Registry();
