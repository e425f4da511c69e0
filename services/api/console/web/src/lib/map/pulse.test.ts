import { describe, expect, it } from "vitest";
import { MinuteCounter } from "./pulse";

describe("MinuteCounter", () => {
  it("counts the last minute, and extrapolates before", () => {
    const counter = new MinuteCounter();
    expect(counter.sample(100, 0)).toBe(0);
    expect(counter.sample(150, 30_000)).toBe(100);
    for (let second = 32; second <= 300; second += 2)
      counter.sample(150 + (second - 30) * 10, second * 1_000);
    expect(counter.sample(150 + 272 * 10, 302_000)).toBe(600);
  });

  it("knows since when nothing came", () => {
    const counter = new MinuteCounter();
    counter.sample(0, 0);
    expect(counter.quietFor(0)).toBeNull();
    counter.sample(5, 2_000);
    counter.sample(5, 4_000);
    expect(counter.quietFor(5_000)).toBe(3_000);
  });
});
