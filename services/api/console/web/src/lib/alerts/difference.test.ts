import { describe, expect, it } from "vitest";
import { alertOf } from "./alerts.fixture";
import { differences } from "./difference";

const said = { at: "2026-11-22T08:01:00Z", by: "dana", version: 2, note: null };

describe("differences", () => {
  it("tells that severity rose, and that this voided the word", () => {
    const seen = alertOf({ severity: "high", acknowledged: said });
    expect(differences(seen, alertOf({ severity: "critical", version: 3 }))).toEqual([
      { kind: "rose", to: "critical" },
      { kind: "void" },
    ]);
    expect(differences(alertOf(), alertOf({ severity: "low" }))).toEqual([{ kind: "fell", to: "low" }]);
  });

  it("tells who was first", () => {
    expect(differences(alertOf(), alertOf({ acknowledged: said, version: 3 }))).toEqual([
      { kind: "acknowledged", by: "dana", note: null },
    ]);
  });

  it("tells that it is over", () => {
    expect(differences(alertOf(), alertOf({ state: "resolved" }))).toEqual([{ kind: "resolved" }]);
    expect(differences(alertOf({ state: "resolved" }), alertOf({ state: "resolved", version: 4 }))).toEqual([
      { kind: "other" },
    ]);
  });
});
