import { describe, expect, it } from "vitest";
import { differenceOf, FATES, partsOf, queryOf, rateOf, type Account } from "./ledger";

const account = (counts: Partial<Account>): Account => ({
  received: 0,
  stored: 0,
  merged: 0,
  duplicate: 0,
  rejected: 0,
  waiting: 0,
  rejected_values: 0,
  ...counts,
});

describe("the law", () => {
  it("holds when every item has one fate", () => {
    expect(
      differenceOf(account({ received: 10, stored: 6, merged: 1, duplicate: 1, rejected: 1, waiting: 1 })),
    ).toBe(0);
    expect(differenceOf(account({ received: 10, stored: 9 }))).toBe(1);
    expect(differenceOf(account({ received: 9, stored: 10 }))).toBe(-1);
  });
});

describe("the picture", () => {
  it("shows something of every fate that has anything, and never more than the whole", () => {
    const parts = partsOf(account({ received: 1_000_001, stored: 1_000_000, rejected: 1 }));
    expect(parts.map((part) => part.fate)).toEqual([...FATES]);
    expect(parts.find((part) => part.fate === "rejected")?.share).toBeGreaterThan(0.005);
    expect(parts.find((part) => part.fate === "merged")?.share).toBe(0);
    expect(parts.reduce((sum, part) => sum + part.share, 0)).toBeCloseTo(1);
  });

  it("is empty when nothing was received", () => {
    expect(partsOf(account({})).every((part) => part.share === 0)).toBe(true);
  });
});

describe("the rate", () => {
  it("is of the time between two looks", () => {
    expect(rateOf({ at: 1_000, received: 50 }, { at: 3_000, received: 150 })).toBe(50);
    expect(rateOf(null, { at: 3_000, received: 150 })).toBeNull();
    expect(rateOf({ at: 2_900, received: 50 }, { at: 3_000, received: 150 })).toBeNull();
    expect(rateOf({ at: 1_000, received: 500 }, { at: 3_000, received: 150 })).toBeNull();
  });
});

describe("the list", () => {
  it("asks for what is chosen and nothing else", () => {
    expect(queryOf("all", " ")).toEqual({ q: undefined, with_gaps: undefined, unbalanced: undefined });
    expect(queryOf("gaps", " gw ").q).toBe("gw");
    expect(queryOf("gaps", "").with_gaps).toBe(true);
    expect(queryOf("unbalanced", "").unbalanced).toBe(true);
  });
});
