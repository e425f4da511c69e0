/** The ledger, read again every two seconds while it is looked at. */
import { ApiError } from "../api";
import type { Page } from "../model";
import { session } from "../session.svelte";
import { queryOf, rateOf, type Balance, type Filter, type Gap, type PublisherAccount } from "./ledger";

const PACE_MS = 2_000;
const ROWS = 100;

export type Trouble = "forbidden" | "unreachable" | null;

export class LedgerReading {
  balance = $state.raw<Balance | null>(null);
  publishers = $state.raw<readonly PublisherAccount[]>([]);
  /** Whether the list has been read at all. */
  listed = $state(false);
  /** Cursor of the next page; null: this is all. */
  next = $state<string | null>(null);
  rate = $state<number | null>(null);
  trouble = $state<Trouble>(null);
  #seen: { at: number; received: number } | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #chosen: { filter: Filter; words: string } = { filter: "all", words: "" };
  /** Counts the lists asked for: an answer that comes late is not taken. */
  #asked = 0;

  open(): void {
    void this.#read();
    this.#timer = setInterval(() => void this.#read(), PACE_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#asked += 1;
  }

  choose(filter: Filter, words: string): void {
    this.#chosen = { filter, words };
    this.listed = false;
    void this.#list();
  }

  async more(): Promise<void> {
    if (this.next === null) return;
    const asked = this.#asked;
    const page = await this.#page({ cursor: this.next });
    if (page === null || asked !== this.#asked) return;
    this.publishers = [...this.publishers, ...page.items];
    this.next = page.next;
  }

  async gapsOf(device: string): Promise<readonly Gap[]> {
    const page = await session.api.get<Page<Gap>>("/gaps", { device, limit: ROWS });
    return page.items;
  }

  async #read(): Promise<void> {
    try {
      const balance = await session.api.get<Balance>("/ledger/balance");
      const seen = { at: Date.now(), received: balance.total.received };
      this.rate = rateOf(this.#seen, seen) ?? this.rate;
      this.#seen = seen;
      this.balance = balance;
      this.trouble = null;
      // Pages that were added by hand would jump: only a list of one page follows by itself.
      if (this.publishers.length <= ROWS) await this.#list();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #list(): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    const page = await this.#page({});
    if (page === null || asked !== this.#asked) return;
    this.publishers = page.items;
    this.next = page.next;
    this.listed = true;
  }

  async #page(query: { cursor?: string }): Promise<Page<PublisherAccount> | null> {
    try {
      const chosen = queryOf(this.#chosen.filter, this.#chosen.words);
      return await session.api.get<Page<PublisherAccount>>("/ledger/publishers", {
        limit: ROWS,
        ...chosen,
        ...query,
      });
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.trouble = error.status === 403 ? "forbidden" : "unreachable";
  }
}
