/** The rejected inbox as it is now: read again every few seconds while its page is open. */
import { ApiError } from "../api";
import { session } from "../session.svelte";
import type { Chosen, RejectedCounts, Replay } from "./model";

const LOOK_AGAIN_MS = 5_000;
const REPLAY_LOOK_MS = 500;
/** The longest that the API counts at once. */
const DAYS_MS = 30 * 86_400_000;

class Rejected {
  counts = $state.raw<RejectedCounts | null>(null);
  failed = $state(false);

  async load(): Promise<void> {
    try {
      const start = new Date(Date.now() - DAYS_MS).toISOString();
      this.counts = await session.api.get<RejectedCounts>("/rejected-messages/counts", { start });
      this.failed = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failed = true;
    }
  }

  /** Until the returned function is called. */
  follow(): () => void {
    void this.load();
    const timer = setInterval(() => void this.load(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }

  /** Ask for it and wait until it is done. Throws ApiError. */
  async replay(chosen: Chosen): Promise<Replay> {
    let replay = await session.api.post<Replay>("/replays", chosen);
    while (replay.finished_at === null) {
      await new Promise((resolve) => setTimeout(resolve, REPLAY_LOOK_MS));
      replay = await session.api.get<Replay>(`/replays/${replay.replay_id}`);
    }
    void this.load();
    return replay;
  }

  /** How many left the list. Throws ApiError. */
  async dismiss(chosen: Chosen): Promise<number> {
    const answer = await session.api.post<{ dismissed: number }>("/rejected-messages/dismissals", chosen);
    void this.load();
    return answer.dismissed;
  }
}

export const rejected = new Rejected();

/** Whether this user may mend, replay, dismiss and watch. */
export const mayMend = (): boolean => session.user?.role === "engineer" || session.user?.role === "admin";
/** Whether this user may see what was refused. */
export const maySeeRejected = (): boolean => session.user !== null && session.user.role !== "viewer";
