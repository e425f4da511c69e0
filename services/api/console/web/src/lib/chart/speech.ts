/** PURE: what a chart says in words, in the units of what it shows. */
import type { AssetsWords } from "../../words/assets";
import { printedNumber, printedUnit, printedValue } from "../format";
import type { Datastream, Language, ObservedProperty } from "../model";
import { codesIn } from "./lanes";
import type { Span } from "./range";
import { summaryOf } from "./summary";
import type { Track } from "./track";

export class Speech {
  constructor(
    private readonly datastreams: readonly Datastream[],
    private readonly properties: ReadonlyMap<string, ObservedProperty>,
    private readonly language: Language,
    private readonly t: AssetsWords,
  ) {}

  name(key: string): string {
    const datastream = this.#find(key);
    const name = this.#property(key)?.name[this.language] ?? key;
    const alike = this.datastreams.filter(
      (one) => one.observed_property === datastream?.observed_property,
    ).length;
    return alike > 1 ? `${name} (${key.slice((datastream?.thing.length ?? -1) + 1)})` : name;
  }

  /** A number with the unit of all that is shown. */
  number = (value: number): string => {
    const unit = printedUnit(this.datastreams[0]?.unit ?? "1", this.language);
    const number = printedNumber(value, this.language);
    return unit ? `${number} ${unit}` : number;
  };

  range(edges: readonly number[]): string {
    return edges.map((edge) => this.number(edge)).join(" … ");
  }

  /** A point of a curve; index -1: there is none. */
  at(track: Track, index: number): string {
    const value = track.values[index] ?? null;
    if (value === null) return this.t.noPoint;
    const figure = this.value(track, value);
    if (track.resolution === "raw") return figure;
    if (track.figure === "delta") return `${figure} ${this.t.perBucket[track.resolution]}`;
    const [low, high] = [track.low[index] ?? null, track.high[index] ?? null];
    if (track.figure !== "avg" || low === null || high === null) return figure;
    return `${figure} (${printedNumber(low, this.language)} … ${printedNumber(high, this.language)})`;
  }

  /** The whole range in a few words: its four numbers, of a counter how much it rose, of a state what it was last. */
  digest(track: Track, { from, to }: Span): string {
    const found = summaryOf(track, from, to);
    if (!found) return this.t.noPoint;
    if (this.#codes(track)) return `${this.t.digest.last}: ${this.value(track, found.last)}`;
    if (track.figure === "delta") return this.t.total(this.number(found.sum));
    const { digest } = this.t;
    const numbers = { min: found.min, mean: found.mean, max: found.max, last: found.last };
    return (Object.keys(numbers) as (keyof typeof numbers)[])
      .map((key) => `${digest[key]} ${printedNumber(numbers[key], this.language)}`)
      .join(" · ")
      .concat(` ${printedUnit(this.#find(track.datastream)?.unit ?? "1", this.language)}`);
  }

  /** A sentence for those who do not see the chart. */
  summary(track: Track, span: Span): string {
    const name = this.name(track.datastream);
    const found = summaryOf(track, span.from, span.to);
    if (!found || this.#codes(track) || track.figure === "delta")
      return `${name}: ${this.digest(track, span)}.`;
    const { min, mean, max, last } = found;
    return this.t.summary(name, {
      min: this.number(min),
      mean: this.number(mean),
      max: this.number(max),
      last: this.number(last),
    });
  }

  private value(track: Track, result: number): string {
    const property = this.#property(track.datastream);
    const kind = property?.kind;
    const coded = property && (kind === "state" || kind === "bits");
    const codes = coded ? { codes: codesIn(result, kind, property.codes).map((code) => code.key) } : {};
    if (coded && !codes.codes?.length) return kind === "bits" ? this.t.noneSet : String(result);
    return printedValue(
      { result, unit: this.datastreams[0]?.unit ?? "1", ...codes },
      property,
      this.language,
    );
  }

  #codes(track: Track): boolean {
    return Boolean(this.#property(track.datastream)?.codes.length);
  }

  #find(key: string): Datastream | undefined {
    return this.datastreams.find((one) => one.key === key);
  }

  #property(key: string): ObservedProperty | undefined {
    return this.properties.get(this.#find(key)?.observed_property ?? "");
  }
}
