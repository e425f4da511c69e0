/** One alert with its journal and the other episodes of the same trouble, kept up to date. */
import { ApiError } from "../api";
import { inbox } from "../live/alerts.svelte";
import type { Alert, JournalEntry, Page } from "../model";
import { session } from "../session.svelte";
import { Paced } from "./later";

const PACE_MS = 1_500;
const EPISODES = 20;

export class AlertReading {
  #own = $state.raw<Alert | null>(null);
  journal = $state.raw<readonly JournalEntry[]>([]);
  episodes = $state.raw<readonly Alert[]>([]);
  trouble = $state<"missing" | "unreachable" | null>(null);
  /** The alert's version that the journal belongs to; 0: it has not been read yet. */
  journalOf = $state(0);
  readonly #paced = new Paced(() => void this.#read(), PACE_MS);

  readonly alert = $derived.by(() => {
    const listed = inbox.sorted.find((alert) => alert.alert_id === this.id);
    return listed && listed.version >= (this.#own?.version ?? 0) ? listed : this.#own;
  });

  constructor(readonly id: number) {}

  refresh(): void {
    this.#paced.want();
  }

  close(): void {
    this.#paced.stop();
  }

  take(alert: Alert): void {
    if (alert.version >= (this.#own?.version ?? 0)) this.#own = alert;
  }

  async #read(): Promise<void> {
    try {
      // The inbox keeps what it holds up to date; only what is not in it must be asked for.
      const listed = inbox.sorted.find((alert) => alert.alert_id === this.id);
      const alert = listed ?? (await session.api.get<Alert>(`/alerts/${this.id}`));
      this.take(alert);
      if (alert.version !== this.journalOf) await this.#readAround(alert);
      this.trouble = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.trouble = error.status === 404 ? "missing" : "unreachable";
    }
  }

  async #readAround(alert: Alert): Promise<void> {
    const [journal, episodes] = await Promise.all([
      session.api.get<{ items: JournalEntry[] }>(`/alerts/${this.id}/journal`),
      session.api.get<Page<Alert>>("/alerts", {
        rule: alert.rule,
        thing: alert.thing ?? undefined,
        state: ["firing", "resolved"],
        limit: EPISODES,
      }),
    ]);
    this.journal = journal.items;
    this.episodes = episodes.items.filter(
      (other) => other.fingerprint === alert.fingerprint && other.alert_id !== this.id,
    );
    this.journalOf = alert.version;
  }
}
