import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { reloadWhenUpgraded } from "./upgrade";

const reload = vi.fn();
let missing: (event: { preventDefault: () => void }) => void;

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.useFakeTimers();
  vi.stubGlobal("addEventListener", (_name: string, listener: typeof missing) => (missing = listener));
  vi.stubGlobal("location", { reload });
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  reload.mockClear();
  reloadWhenUpgraded();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("loads the new console once, and does not turn in circles where that does not help", () => {
  const event = { preventDefault: vi.fn() };
  missing(event);
  missing(event);
  expect(reload).toHaveBeenCalledTimes(1);
  expect(event.preventDefault).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(60_000);
  missing(event);
  expect(reload).toHaveBeenCalledTimes(2);
});
