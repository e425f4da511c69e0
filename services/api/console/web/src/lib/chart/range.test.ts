import { describe, expect, it } from "vitest";
import { LONGEST_RANGE } from "./plan";
import {
  bounded,
  momentOf,
  offsetAt,
  readRange,
  SHORTEST_RANGE,
  spanOf,
  wallTime,
  writtenRange,
} from "./range";

const NOON = Date.parse("2026-11-22T07:00:00Z");

describe("ranges", () => {
  it("of a preset end now", () => expect(spanOf("1h", NOON)).toEqual({ from: NOON - 3_600_000, to: NOON }));

  it("come back from the address as they went", () => {
    for (const range of ["15m", "30d", { from: NOON, to: NOON + 60_000 }] as const)
      expect(readRange(writtenRange(range))).toEqual(range);
  });

  it.each([null, "", "1y", "x/y", "2026-11-22T07:00:00Z", "2026-11-22T07:00:00Z/2026-11-22T06:00:00Z"])(
    "are none: %s",
    (text) => expect(readRange(text)).toBeNull(),
  );

  it("are neither too short nor too long", () => {
    expect(bounded({ from: 0, to: 2 })).toEqual({ from: 1 - SHORTEST_RANGE / 2, to: 1 + SHORTEST_RANGE / 2 });
    const long = bounded({ from: 0, to: 3 * LONGEST_RANGE });
    expect(long.to - long.from).toBe(LONGEST_RANGE);
  });
});

describe("times in the city", () => {
  it("of a zone without summer time", () => {
    expect(offsetAt(NOON, "Asia/Almaty")).toBe(5 * 3_600_000);
    expect(wallTime(NOON, "Asia/Almaty")).toBe("2026-11-22T12:00");
    expect(momentOf("2026-11-22T12:00", "Asia/Almaty")).toBe(NOON);
  });

  it("go back and forth in any zone, also about a change of clocks", () => {
    for (const zone of ["Asia/Almaty", "Europe/Berlin", "America/St_Johns", "UTC"])
      for (
        let moment = Date.parse("2026-03-28T00:00Z");
        moment < Date.parse("2026-03-30T00:00Z");
        moment += 1_800_000
      )
        expect(momentOf(wallTime(moment, zone), zone)).toBe(moment);
  });

  it("that a change of clocks leaves out are moved by it", () =>
    expect(new Date(momentOf("2026-03-29T02:30", "Europe/Berlin")).toISOString()).toMatch(/T0[01]:30/));

  it("are no moment where the text is none", () => expect(momentOf("", "Asia/Almaty")).toBeNaN());
});
