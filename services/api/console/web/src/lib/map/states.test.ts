import { describe, expect, it } from "vitest";
import type { Severity } from "../model";
import { CALM, changesBetween, statesOf, type AssetState } from "./states";

const states = (silent: string[], severities: [string, Severity][] = []) =>
  statesOf(silent, new Map(severities));

describe("changesBetween", () => {
  it("tells nothing where nothing looks different", () =>
    expect(changesBetween(states(["a"], [["b", "high"]]), states(["a"], [["b", "high"]]))).toEqual([]));

  it("tells what is new, what is different and what is calm again", () => {
    const before = states(["gone"], [["worse", "low"]]);
    const after = states(["new"], [["worse", "high"]]);
    expect(new Map(changesBetween(before, after))).toEqual(
      new Map<string, AssetState>([
        ["new", { silent: true, severity: "" }],
        ["worse", { silent: false, severity: "high" }],
        ["gone", CALM],
      ]),
    );
  });

  it("told one after the other, the changes give the last state", () => {
    const steps = [
      states([]),
      states(["a", "b"]),
      states(["b"], [["b", "low"]]),
      states([], [["a", "high"]]),
    ];
    const map = new Map<string, AssetState>();
    steps.slice(1).forEach((after, index) => {
      for (const [key, state] of changesBetween(steps[index]!, after)) map.set(key, state);
    });
    const last = steps.at(-1)!;
    for (const [key, state] of map) expect(state).toEqual(last.get(key) ?? CALM);
  });
});
