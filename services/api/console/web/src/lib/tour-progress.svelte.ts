/** Whether the guide through the first minute is shown, and how far it has come; remembered by the browser. */
import type { Step } from "./tour";

const SEEN = "alatau.tour";

class TourProgress {
  step = $state<Step>("live");
  shown = $state(localStorage.getItem(SEEN) === null);

  /** Not to be shown at the next start. */
  remember(): void {
    localStorage.setItem(SEEN, "done");
  }

  close(): void {
    this.remember();
    this.shown = false;
  }

  again(): void {
    localStorage.removeItem(SEEN);
    this.step = "live";
    this.shown = true;
  }
}

export const tourProgress = new TourProgress();
