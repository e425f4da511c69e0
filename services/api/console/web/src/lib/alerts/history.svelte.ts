/** The list of all alerts: chosen by filters, read page by page, kept up to date without moving what is read. */
import { ApiError, type Query } from "../api";
import type { Alert, AlertClass, AlertState, Page, Severity } from "../model";
import { session } from "../session.svelte";
import { renewed } from "./arrangement";
import { Paced } from "./later";

const PAGE = 50;
const MOST = 1_000;
const PACE_MS = 2_000;

/** What the choice of a state asks the API for. */
export const STATES = {
  fired: ["firing", "resolved"],
  firing: ["firing"],
  resolved: ["resolved"],
  pending: ["pending"],
  inactive: ["inactive"],
} as const satisfies Record<string, readonly AlertState[]>;
export type Chosen = keyof typeof STATES;

class History {
  state = $state<Chosen>("fired");
  severity = $state<Severity | "">("");
  class = $state<AlertClass | "">("");
  domain = $state("");
  district = $state("");
  /** Sought among what has been read; the API has no search for it. */
  text = $state("");
  alerts = $state.raw<readonly Alert[]>([]);
  next = $state<string | null>(null);
  reading = $state(false);
  failed = $state(false);
  /** Rises with every new choice: an answer to an older one is not taken. */
  #turn = 0;
  readonly #paced = new Paced(() => void this.#renew(), PACE_MS);

  get query(): Query {
    return {
      state: STATES[this.state],
      severity: this.severity || undefined,
      class: this.class || undefined,
      domain: this.domain || undefined,
      district: this.district || undefined,
    };
  }

  /** Anew, for another choice. */
  async begin(): Promise<void> {
    this.#turn += 1;
    this.alerts = [];
    this.next = null;
    await this.#read({ limit: PAGE }, (page) => {
      this.alerts = page.items;
      this.next = page.next;
    });
  }

  async more(): Promise<void> {
    if (this.reading || !this.next) return;
    await this.#read({ limit: PAGE, cursor: this.next }, (page) => {
      this.alerts = [...this.alerts, ...page.items];
      this.next = page.next;
    });
  }

  /** Alerts have changed: what is listed is read again. */
  refresh(): void {
    this.#paced.want();
  }

  close(): void {
    this.#paced.stop();
  }

  clear(): void {
    this.severity = this.class = this.domain = this.district = this.text = "";
    this.state = "fired";
  }

  async #renew(): Promise<void> {
    if (this.reading) return this.#paced.want();
    const limit = Math.min(MOST, Math.max(PAGE, this.alerts.length + PAGE / 2));
    await this.#read({ limit }, (page) => {
      const all = page.next === null || page.items.length >= this.alerts.length;
      this.alerts = renewed(this.alerts, page.items, all);
      if (all) this.next = page.next;
    });
  }

  async #read(page: Query, take: (page: Page<Alert>) => void): Promise<void> {
    const turn = this.#turn;
    this.reading = true;
    try {
      const answer = await session.api.get<Page<Alert>>("/alerts", { ...this.query, ...page });
      if (turn !== this.#turn) return;
      take(answer);
      this.failed = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn === this.#turn) this.failed = true;
    } finally {
      if (turn === this.#turn) this.reading = false;
    }
  }
}

export const alertHistory = new History();
