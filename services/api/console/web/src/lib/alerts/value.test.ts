import { describe, expect, it } from "vitest";
import type { ObservedProperty } from "../model";
import { printedResult } from "./value";

const named = (en: string) => ({ kk: en, ru: en, en });
const property = (kind: string, unit = "1") =>
  ({
    kind,
    unit,
    codes: [
      { value: 1, key: "one", name: named("One"), abnormal: true },
      { value: 4, key: "four", name: named("Four"), abnormal: true },
      { value: 2 ** 40, key: "high", name: named("High"), abnormal: true },
    ],
  }) as unknown as ObservedProperty;

describe("printedResult", () => {
  it("prints a measurement with its unit", () => {
    expect(printedResult(2.5, property("measurement", "bar"), "en")).toBe("2.5 bar");
    expect(printedResult(2.5, undefined, "en")).toBe("2.5");
    expect(printedResult(null, property("measurement"), "en")).toBe("–");
  });

  it("names the code of a state", () => {
    expect(printedResult(4, property("state"), "en")).toBe("Four");
    expect(printedResult(5, property("state"), "en")).toBe("–");
  });

  it("names all bits that are set, also the high ones", () => {
    expect(printedResult(5, property("bits"), "en")).toBe("One, Four");
    expect(printedResult(2 ** 40 + 1, property("bits"), "en")).toBe("One, High");
  });
});
