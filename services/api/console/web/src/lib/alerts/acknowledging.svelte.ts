/** Acknowledging alerts: what is being said, what came of it, and the notes not yet sent. */
import { SvelteMap, SvelteSet } from "svelte/reactivity";
import { ApiError } from "../api";
import { inbox } from "../live/alerts.svelte";
import type { Alert } from "../model";
import { session } from "../session.svelte";
import { differences, type Difference } from "./difference";

export type Outcome =
  | { kind: "done" }
  | { kind: "changed"; differences: Difference[] }
  | { kind: "forbidden" | "unreachable" }
  | { kind: "refused"; detail: string };

const DRAFT = "alatau.note.";

class Acknowledging {
  /** Alerts whose answer is awaited. */
  readonly busy = new SvelteSet<number>();
  readonly outcomes = new SvelteMap<number, Outcome>();
  readonly #drafts = new SvelteMap<number, string>();
  /** The alert last spoken of, for whoever does not look at its page. */
  last = $state.raw<Alert | null>(null);
  /** How many have been acknowledged here since the console was opened. */
  count = $state(0);

  get allowed(): boolean {
    return session.user?.role !== "viewer";
  }

  /** The note written so far: it outlives changes of the alert, other pages, and a reload. */
  draft(id: number): string {
    return this.#drafts.get(id) ?? sessionStorage.getItem(DRAFT + id) ?? "";
  }

  write(id: number, note: string): void {
    this.#drafts.set(id, note);
    if (note) sessionStorage.setItem(DRAFT + id, note);
    else sessionStorage.removeItem(DRAFT + id);
  }

  /** Says that the alert has been seen as it is given here. Gives the alert as it is now, or null where that could not be had. */
  async acknowledge(seen: Alert): Promise<Alert | null> {
    const id = seen.alert_id;
    if (this.busy.has(id)) return null;
    this.busy.add(id);
    this.outcomes.delete(id);
    try {
      const note = this.draft(id).trim();
      const word = { version: seen.version, ...(note ? { note } : {}) };
      const answer = await session.api.post<Alert>(`/alerts/${id}/acknowledge`, word);
      this.write(id, "");
      this.count += 1;
      return this.#tell(answer, { kind: "done" });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return await this.#explain(seen, error);
    } finally {
      this.busy.delete(id);
    }
  }

  async #explain(seen: Alert, error: ApiError): Promise<Alert | null> {
    if (error.status === 409) {
      const current = await session.api.get<Alert>(`/alerts/${seen.alert_id}`).catch(() => null);
      if (current) return this.#tell(current, { kind: "changed", differences: differences(seen, current) });
    }
    this.last = seen;
    this.outcomes.set(seen.alert_id, outcomeOf(error));
    return null;
  }

  #tell(alert: Alert, outcome: Outcome): Alert {
    this.last = alert;
    this.outcomes.set(alert.alert_id, outcome);
    inbox.put(alert);
    return alert;
  }
}

function outcomeOf(error: ApiError): Outcome {
  if (error.status === 403) return { kind: "forbidden" };
  if (error.status === 0 || error.status >= 500) return { kind: "unreachable" };
  return { kind: "refused", detail: error.message };
}

export const acknowledging = new Acknowledging();
