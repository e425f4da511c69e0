import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Paced } from "./later";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("Paced", () => {
  it("works at once, then at most once a span, and always after the last wish", () => {
    const work = vi.fn();
    const paced = new Paced(work, 1_000);
    for (let i = 0; i < 5; i++) paced.want();
    expect(work).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_000);
    expect(work).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(5_000);
    expect(work).toHaveBeenCalledTimes(2);
    paced.want();
    expect(work).toHaveBeenCalledTimes(3);
  });

  it("does nothing more once it is stopped", () => {
    const work = vi.fn();
    const paced = new Paced(work, 1_000);
    paced.want();
    paced.want();
    paced.stop();
    vi.advanceTimersByTime(5_000);
    expect(work).toHaveBeenCalledTimes(1);
  });
});
