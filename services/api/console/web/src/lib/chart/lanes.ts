/** PURE: states over time, one lane for each code; of bits, one for each bit. */
import type { StateCode } from "../model";
import { longestPause } from "./align";
import { lengthOf } from "./plan";
import type { Track } from "./track";

/** share: how much of the time between from and to it was so, 0 to 1. */
export interface Run {
  lane: number;
  from: number;
  to: number;
  share: number;
}

/** Codes that speak in a result: of a state one, of bits all that are set. */
export function codesIn(result: number, kind: "state" | "bits", codes: readonly StateCode[]): StateCode[] {
  if (kind === "state") return codes.filter((code) => code.value === result);
  // Weights go up to 2^52: more than the bit operators can.
  return codes.filter((code) => Math.floor(result / code.value) % 2 === 1);
}

/** Lanes from the top: the codes as the catalogue has them; under the bits a lane for "none of them". */
export function runsOf(track: Track, kind: "state" | "bits", codes: readonly StateCode[]): Run[] {
  const runs: Run[] = [];
  const open = new Map<number, Run>();
  const valid = longestPause(track);
  track.times.forEach((time, index) => {
    const shares = track.shares[index];
    if (shares) return void runs.push(...sharedRuns(shares, time, track, codes));
    const until = Math.min(track.times[index + 1] ?? time + validAfter(track), time + valid);
    for (const lane of lanesAt(track.values[index] ?? null, kind, codes)) {
      const run = open.get(lane);
      if (run && run.to === time) run.to = until;
      else {
        const begun = { lane, from: time, to: until, share: 1 };
        open.set(lane, begun);
        runs.push(begun);
      }
    }
  });
  return runs;
}

/** The newest value speaks for one period, or for its bucket. */
function validAfter(track: Track): number {
  return track.resolution === "raw" ? track.period : lengthOf(track.resolution);
}

function lanesAt(value: number | null, kind: "state" | "bits", codes: readonly StateCode[]): number[] {
  if (value === null) return [];
  const lanes = codesIn(value, kind, codes).map((code) => codes.indexOf(code));
  return lanes.length || kind === "state" ? lanes : [codes.length];
}

function sharedRuns(
  shares: Record<string, number>,
  from: number,
  track: Track,
  codes: readonly StateCode[],
): Run[] {
  const to = from + (track.resolution === "raw" ? track.period : lengthOf(track.resolution));
  return codes.flatMap(({ key }, lane) => {
    const share = shares[key];
    return share ? [{ lane, from, to, share }] : [];
  });
}
