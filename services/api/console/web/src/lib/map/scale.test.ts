import { describe, expect, it } from "vitest";
import { printedLength, scaleBar } from "./scale";

describe("scaleBar", () => {
  it.each([
    [10, 43.6],
    [13.3, 43.6],
    [17.9, 0],
    [6, 70],
  ])("at zoom %d and latitude %d is round and fits", (zoom, latitude) => {
    const { metres, pixels } = scaleBar(zoom, latitude, 110);
    expect(String(metres)).toMatch(/^[125]0*$/);
    expect(pixels).toBeLessThanOrEqual(110);
    expect(pixels).toBeGreaterThan(110 / 2.6);
  });

  it("is 40,075 km around the equator", () => {
    const { metres, pixels } = scaleBar(0, 0, 400);
    expect((metres / pixels) * 512).toBeCloseTo(40_075_016.686, 0);
  });

  it("is printed in kilometres from one on", () => {
    expect(printedLength(500, "ru")).toBe("500 м");
    expect(printedLength(2_000, "en")).toBe("2 km");
  });
});
