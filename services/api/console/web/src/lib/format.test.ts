import { describe, expect, it } from "vitest";
import {
  durationOf,
  printedDay,
  printedMoment,
  printedNumber,
  printedSpan,
  printedUnit,
  printedValue,
} from "./format";
import { LANGUAGES, type ObservedProperty } from "./model";

describe("printedNumber", () => {
  it("keeps four digits, and all of the whole part", () => {
    expect([0, 12.3456, 0.00423456, 999.96, 1234.5, -1234567].map((n) => printedNumber(n, "en"))).toEqual([
      "0",
      "12.35",
      "0.004235",
      "1,000",
      "1,235",
      "-1,234,567",
    ]);
  });

  it("writes decimal commas in Kazakh and Russian", () => {
    expect(printedNumber(1.5, "ru")).toBe("1,5");
    expect(printedNumber(1.5, "kk")).toBe("1,5");
  });
});

describe("printedUnit", () => {
  it("prints what has no other form as it is", () => {
    expect(printedUnit("kat", "en")).toBe("kat");
  });

  it("has a form in every language", () => {
    for (const language of LANGUAGES) expect(printedUnit("kV.A{reactive}", language)).not.toContain("{");
  });
});

describe("printedValue", () => {
  const breaker = {
    codes: [
      { value: 1, key: "open", name: { kk: "ажыратылған", ru: "отключён", en: "open" }, abnormal: true },
    ],
  } as unknown as ObservedProperty;

  it("names a state", () => {
    expect(printedValue({ result: 1, unit: "1", codes: ["open"] }, breaker, "ru")).toBe("отключён");
    expect(printedValue({ result: 9, unit: "1", codes: ["later"] }, breaker, "ru")).toBe("later");
    expect(printedValue({ result: 0, unit: "1", codes: [] }, breaker, "ru")).toBe("–");
  });

  it("leaves no blank where there is no unit", () => {
    expect(printedValue({ result: 0.98, unit: "1" }, undefined, "en")).toBe("0.98");
    expect(printedValue({ result: 4.2, unit: "bar" }, undefined, "en")).toBe("4.2 bar");
  });
});

describe("times", () => {
  it("tells a span in its largest unit", () => {
    expect([-5, 0, 59_999, 60_000, 7_200_000, 200_000_000].map((ms) => printedSpan(ms, "en"))).toEqual([
      "0 sec",
      "0 sec",
      "59 sec",
      "1 min",
      "2 hr",
      "2 days",
    ]);
  });

  it("reads durations", () => {
    expect(["PT15M", "P1DT2H", "PT1H30M5.5S", "PT0S"].map(durationOf)).toEqual([
      900_000, 93_600_000, 5_405_500, 0,
    ]);
    expect(durationOf("15 minutes")).toBeNaN();
  });

  it("writes days in Kazakh itself, as browsers cannot", () => {
    const days = (["kk", "ru", "en"] as const).map((one) =>
      printedDay("2026-11-22T22:30:00Z", "Asia/Almaty", one),
    );
    expect(days).toEqual(["23 қар.", "23 нояб.", "23 Nov"]);
    expect(printedMoment("2026-11-22T22:30:00Z", "Asia/Almaty", "kk")).toBe("2026 ж. 23 қар., 03:30:00");
  });

  it("shows the city's time, whatever the machine's is", () => {
    expect(printedMoment("2026-11-22T22:30:00Z", "Asia/Almaty", "en")).toContain("23 Nov 2026, 03:30:00");
  });

  it("writes Kazakh where the browser has no data for it", () => {
    expect(printedMoment("2026-11-22T22:30:00Z", "Asia/Almaty", "kk")).toBe("2026 ж. 23 қар., 03:30:00");
    expect(printedSpan(7_200_000, "kk")).toBe("2\u00a0сағ");
  });
});
