/** Both live streams together: feeds the stores, and says whether what is shown is live. */
import type { Alert, Value } from "../model";
import { session } from "../session.svelte";
import { inbox, type AlertChange } from "./alerts.svelte";
import type { ServerEvent } from "./events";
import { LiveStream } from "./stream";
import { values } from "./values.svelte";

/** Its place among the streams. */
const ALERTS = 1;

class LiveLink {
  #valuesAlive = $state(false);
  #alertsAlive = $state(false);
  #streams: LiveStream[] = [];
  #snapshot: Alert[] = [];
  /** When each stream last said anything, by the server's clock; 0: not yet. */
  #heardAt = { values: 0, alerts: 0 };
  /** Since when the view is not live, by the server's clock; null: it is, or it never was yet. */
  lostAt = $state<number | null>(null);
  /** The server's clock minus this machine's, milliseconds: ages are counted by the server's. */
  #skew = 0;

  /** Whether everything on the screen is live. */
  get live(): boolean {
    return this.#valuesAlive && this.#alertsAlive;
  }

  /** The server's clock, Unix milliseconds. */
  now(): number {
    return Date.now() + this.#skew;
  }

  open(): void {
    this.close();
    this.#streams = [
      new LiveStream(session.api, "/live/latest", {
        event: (event) => {
          this.#hearValues(event);
          this.#heardAt.values = this.now();
        },
        alive: (alive) => this.#mark({ values: alive }),
      }),
      new LiveStream(session.api, "/live/alerts", {
        event: (event) => {
          this.#hearAlerts(event);
          this.#heardAt.alerts = this.now();
        },
        alive: (alive) => this.#mark({ alerts: alive }),
      }),
    ];
    for (const stream of this.#streams) stream.open();
    addEventListener("online", this.#retry);
  }

  close(): void {
    removeEventListener("online", this.#retry);
    for (const stream of this.#streams) stream.close();
    this.#streams = [];
    this.#valuesAlive = this.#alertsAlive = false;
    this.#heardAt = { values: 0, alerts: 0 };
    this.lostAt = null;
    values.clear();
    inbox.clear();
  }

  #retry = (): void => {
    for (const stream of this.#streams) stream.retry();
  };

  #mark(alive: { values?: boolean; alerts?: boolean }): void {
    this.#valuesAlive = alive.values ?? this.#valuesAlive;
    this.#alertsAlive = alive.alerts ?? this.#alertsAlive;
    if (this.live) this.lostAt = null;
    // Silence is noticed some seconds after it began.
    else if (alive.values === false) this.lostAt ??= this.#heardAt.values || this.now();
    else if (alive.alerts === false) this.lostAt ??= this.#heardAt.alerts || this.now();
  }

  #hearValues(event: ServerEvent): void {
    if (event.event === "latest" || event.event === "snapshot")
      values.take((event.data as { observations: Value[] }).observations);
    else this.#hearClock(event);
  }

  #hearAlerts(event: ServerEvent): void {
    if (event.event === "snapshot") this.#hearSnapshot(event);
    else if (event.event === "alerts")
      void this.#hearChanges((event.data as { changes: AlertChange[] }).changes);
    else this.#hearClock(event);
  }

  async #hearChanges(changes: AlertChange[]): Promise<void> {
    if (!(await inbox.hear(changes))) this.#streams[ALERTS]?.refresh();
  }

  #hearSnapshot(event: ServerEvent): void {
    const { part, parts, alerts } = event.data as { part?: number; parts?: number; alerts: Alert[] };
    if ((part ?? 1) === 1) this.#snapshot = [];
    this.#snapshot.push(...alerts);
    if ((part ?? 1) === (parts ?? 1)) inbox.replace(this.#snapshot);
  }

  #hearClock(event: ServerEvent): void {
    const { time } = event.data as { time?: string };
    if (time) this.#skew = Date.parse(time) - Date.now();
  }
}

export const link = new LiveLink();
