import { describe, expect, it } from "vitest";
import { stepAfter, type Facts, type Step } from "./tour";

const nothing: Facts = { live: false, waiting: 0, acknowledged: 0 };

describe("stepAfter", () => {
  it("follows the demo: live, an alert, acknowledged", () => {
    let step: Step = "live";
    const see = (facts: Partial<Facts>): Step => (step = stepAfter(step, { ...nothing, ...facts }));
    expect(see({})).toBe("live");
    expect(see({ live: true })).toBe("alert");
    expect(see({ live: true, waiting: 1 })).toBe("acknowledge");
    expect(see({ live: true, waiting: 1, acknowledged: 1 })).toBe("done");
  });

  it("begins where the city is: an alert may be waiting already", () => {
    expect(stepAfter("live", { ...nothing, live: true, waiting: 3 })).toBe("acknowledge");
  });

  it("never goes back", () => {
    expect(stepAfter("alert", nothing)).toBe("alert");
    expect(stepAfter("acknowledge", { ...nothing, live: true })).toBe("acknowledge");
    expect(stepAfter("done", nothing)).toBe("done");
  });
});
