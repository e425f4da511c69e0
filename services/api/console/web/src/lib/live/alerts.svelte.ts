/** The alerts that want an operator (firing, or resolved before anybody acknowledged it), live. */
import { SvelteMap } from "svelte/reactivity";
import { ApiError } from "../api";
import { SEVERITIES, type Alert, type AlertState, type Severity } from "../model";
import { session } from "../session.svelte";

/** What the live stream says of a change; the texts are at /alerts/{alert_id}. */
export interface AlertChange {
  alert_id: number;
  version: number;
  state: AlertState;
  severity: Severity;
  thing: string | null;
  value: number | null;
  ends_at: string | null;
  acknowledged_at: string | null;
}

const rank = (alert: Alert): number => SEVERITIES.indexOf(alert.severity);

class Inbox {
  readonly #alerts = new SvelteMap<number, Alert>();
  #reading = new Map<number, number>();
  /** The newest alert that fired while the console was open: what to announce. */
  newest = $state<Alert | null>(null);
  /** Rises with every change of any alert, in the inbox or not: lists of alerts read again. */
  changes = $state(0);

  /** Worst first, then newest first. */
  readonly sorted = $derived(
    [...this.#alerts.values()].sort(
      (one, other) =>
        rank(one) - rank(other) ||
        Number(one.state !== "firing") - Number(other.state !== "firing") ||
        other.alert_id - one.alert_id,
    ),
  );
  /** Severity of the worst firing or unacknowledged alert of each thing. */
  readonly worst = $derived.by(() => {
    const worst = new Map<string, Severity>();
    for (const alert of this.sorted)
      if (alert.thing && !worst.has(alert.thing)) worst.set(alert.thing, alert.severity);
    return worst;
  });

  of(thing: string): Alert[] {
    return this.sorted.filter((alert) => alert.thing === thing);
  }

  replace(alerts: readonly Alert[]): void {
    this.#alerts.clear();
    for (const alert of alerts) this.#alerts.set(alert.alert_id, alert);
    this.changes += 1;
  }

  /** The truth about one alert, e.g. the answer to an acknowledgement. */
  put(alert: Alert): void {
    const held = this.#alerts.get(alert.alert_id);
    if (held && held.version > alert.version) return;
    if (alert.in_inbox) this.#alerts.set(alert.alert_id, alert);
    else this.#alerts.delete(alert.alert_id);
    this.changes += 1;
  }

  /** Changes carry no texts: each alert that changed is read once, at its newest version.
   *
   * Whether all could be read: if not, the inbox must be taken anew. */
  async hear(changes: readonly AlertChange[]): Promise<boolean> {
    const latest = new Map(changes.map((change) => [change.alert_id, change]));
    const read = await Promise.all([...latest.values()].map((change) => this.#read(change)));
    return read.every(Boolean);
  }

  clear(): void {
    this.#alerts.clear();
    this.newest = null;
  }

  async #read(change: AlertChange): Promise<boolean> {
    const held = this.#alerts.get(change.alert_id);
    if ((held?.version ?? 0) >= change.version) return true;
    if ((this.#reading.get(change.alert_id) ?? 0) >= change.version) return true;
    if (!held && (change.state === "pending" || change.state === "inactive")) {
      this.changes += 1;
      return true;
    }
    this.#reading.set(change.alert_id, change.version);
    try {
      const alert = await session.api.get<Alert>(`/alerts/${change.alert_id}`);
      this.put(alert);
      if (!held && alert.state === "firing") this.newest = alert;
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // 404: it is none that this user may see any more.
      return error.status === 404;
    } finally {
      this.#reading.delete(change.alert_id);
    }
  }
}

export const inbox = new Inbox();
