import { describe, expect, it } from "vitest";
import { layersOf } from "./layers";
import type { Palette } from "./palette";

describe("layersOf", () => {
  const palette = new Proxy({}, { get: () => "#123456" }) as Palette;
  const layers = (domains: string[], district: string | null) =>
    layersOf({ palette, language: "kk", shown: { domains, district } });

  it("keeps layers and their order whatever is chosen: they are adapted in place", () => {
    const ids = layers([], null).map(({ id }) => id);
    expect(layers(["gas"], "gate").map(({ id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("draws alerts last, and never hides one by a choice", () => {
    const [last] = layers(["gas"], "gate").slice(-1);
    expect(last?.id).toBe("alert-marks");
    for (const layer of layers(["gas"], "gate"))
      if (layer.id.startsWith("alert")) expect("filter" in layer).toBe(false);
  });
});
