import { describe, expect, it } from "vitest";
import type { StateCode } from "../model";
import { codesIn, runsOf } from "./lanes";
import { emptyTrack, type Track } from "./track";

const code = (value: number, key: string): StateCode => ({
  value,
  key,
  name: { kk: key, ru: key, en: key },
  abnormal: false,
});
const STATES = [code(0, "off"), code(1, "on")];
const BITS = [code(1, "door"), code(4, "fire"), code(2 ** 40, "far")];

function track(points: [number, number | null][], resolution: Track["resolution"] = "raw"): Track {
  const own = emptyTrack({ datastream: "a.b", resolution, period: 10 }, "value");
  for (const [time, value] of points) {
    own.times.push(time);
    own.values.push(value);
  }
  return own;
}

describe("codes", () => {
  it("of a state are the one, or none that is known", () => {
    expect(codesIn(1, "state", STATES).map((one) => one.key)).toEqual(["on"]);
    expect(codesIn(7, "state", STATES)).toEqual([]);
  });

  it("of bits are all that are set, however high", () =>
    expect([0, 1, 5, 2 ** 40 + 4].map((bits) => codesIn(bits, "bits", BITS).map((one) => one.key))).toEqual([
      [],
      ["door"],
      ["door", "fire"],
      ["fire", "far"],
    ]));
});

describe("lanes", () => {
  it("have one run while a state lasts", () =>
    expect(
      runsOf(
        track([
          [0, 1],
          [10, 1],
          [20, 0],
          [30, 1],
        ]),
        "state",
        STATES,
      ),
    ).toEqual([
      { lane: 1, from: 0, to: 20, share: 1 },
      { lane: 0, from: 20, to: 30, share: 1 },
      { lane: 1, from: 30, to: 40, share: 1 },
    ]));

  it("believe a state for three periods", () =>
    expect(
      runsOf(
        track([
          [0, 1],
          [100, 1],
        ]),
        "state",
        STATES,
      ),
    ).toEqual([
      { lane: 1, from: 0, to: 31.5, share: 1 },
      { lane: 1, from: 100, to: 110, share: 1 },
    ]));

  it("leave out what cannot be believed, and states without a name", () =>
    expect(
      runsOf(
        track([
          [0, null],
          [10, 7],
        ]),
        "state",
        STATES,
      ),
    ).toEqual([]));

  it("of bits run beside each other; none has a lane of its own", () =>
    expect(
      runsOf(
        track([
          [0, 5],
          [10, 4],
          [20, 0],
        ]),
        "bits",
        BITS,
      ),
    ).toEqual([
      { lane: 0, from: 0, to: 10, share: 1 },
      { lane: 1, from: 0, to: 20, share: 1 },
      { lane: 3, from: 20, to: 30, share: 1 },
    ]));

  it("of buckets say for how much of the time", () => {
    const own = track([[0, 1]], "1m");
    own.shares.push({ on: 0.75, off: 0.25 });
    expect(runsOf(own, "state", STATES)).toEqual([
      { lane: 0, from: 0, to: 60_000, share: 0.25 },
      { lane: 1, from: 0, to: 60_000, share: 0.75 },
    ]);
  });

  it("of nothing are empty", () => expect(runsOf(track([]), "state", STATES)).toEqual([]));
});
