/** PURE: which things the list shows, and in which order. */
import {
  SEVERITIES,
  type Language,
  type ObservedProperty,
  type Severity,
  type Thing,
  type Value,
} from "../model";

export type Column = "alerts" | "name" | "kind" | "domain" | "district" | "status";
export const COLUMNS: readonly Column[] = ["alerts", "name", "kind", "domain", "district", "status"];

/** Empty: all. As in the address. */
export interface Choice {
  q: string;
  domain: string;
  district: string;
  kind: string;
  status: string;
  alerting: boolean;
  sort: Column;
  descending: boolean;
}

export const EVERYTHING: Choice = {
  q: "",
  domain: "",
  district: "",
  kind: "",
  status: "",
  alerting: false,
  sort: "alerts",
  descending: false,
};

export function readChoice(search: string): Choice {
  const words = new URLSearchParams(search);
  const word = (name: string): string => words.get(name) ?? "";
  return {
    q: word("q"),
    domain: word("domain"),
    district: word("district"),
    kind: word("kind"),
    status: word("status"),
    alerting: words.has("alerting"),
    sort: COLUMNS.find((column) => column === words.get("sort")) ?? "alerts",
    descending: words.has("descending"),
  };
}

/** "?…", or "" where everything is shown. */
export function writtenChoice(choice: Choice): string {
  const words = new URLSearchParams();
  for (const name of ["q", "domain", "district", "kind", "status"] as const)
    if (choice[name]) words.set(name, choice[name]);
  if (choice.alerting) words.set("alerting", "");
  if (choice.sort !== "alerts") words.set("sort", choice.sort);
  if (choice.descending) words.set("descending", "");
  const text = words.toString();
  return text && `?${text}`;
}

/** Every word must be in the key or in one of the names. */
function fits(thing: Thing, words: readonly string[]): boolean {
  const { kk, ru, en } = thing.name;
  const text = `${thing.key} ${kk} ${ru} ${en}`.toLocaleLowerCase();
  return words.every((word) => text.includes(word));
}

/** What the list needs to know besides the things themselves. */
export interface Surroundings {
  language: Language;
  worst: ReadonlyMap<string, Severity>;
  /** A column's text of a thing, as it is shown. */
  text: (thing: Thing, column: Exclude<Column, "alerts">) => string;
}

export function chosen(things: Iterable<Thing>, choice: Choice, around: Surroundings): Thing[] {
  const words = choice.q.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const found = [...things].filter(
    (thing) =>
      (!choice.domain || thing.domain === choice.domain) &&
      (!choice.district || thing.district === choice.district) &&
      (!choice.kind || thing.kind === choice.kind) &&
      (!choice.status || thing.status === choice.status) &&
      (!choice.alerting || around.worst.has(thing.key)) &&
      fits(thing, words),
  );
  return sorted(found, choice, around);
}

function sorted(things: readonly Thing[], choice: Choice, around: Surroundings): Thing[] {
  const collator = new Intl.Collator(around.language, { numeric: true });
  const column = choice.sort;
  const keyed = things.map((thing) => ({
    thing,
    rank: rank(around.worst.get(thing.key)),
    name: around.text(thing, "name"),
    text: column === "alerts" ? "" : around.text(thing, column),
  }));
  const sign = choice.descending ? -1 : 1;
  keyed.sort(
    (one, other) =>
      sign * (column === "alerts" ? one.rank - other.rank : collator.compare(one.text, other.text)) ||
      collator.compare(one.name, other.name) ||
      (one.thing.key < other.thing.key ? -1 : 1),
  );
  return keyed.map(({ thing }) => thing);
}

const rank = (severity: Severity | undefined): number =>
  severity ? SEVERITIES.indexOf(severity) : SEVERITIES.length;

/** Whether a state or a bit that is set is one the catalogue calls abnormal. */
export function abnormal(value: Pick<Value, "codes">, property: ObservedProperty | undefined): boolean {
  return Boolean(value.codes?.some((key) => property?.codes.find((code) => code.key === key)?.abnormal));
}

/** What a headline is chosen by. */
export interface Headed {
  domain: string;
  properties: ReadonlyMap<string, ObservedProperty>;
  /** Datastreams that are alerting. */
  alerting: ReadonlySet<string>;
}

/** The values that stand for a thing: what alerts, abnormal states, measurements, then what else there is.
 *
 * What belongs to the thing's own domain goes before, say, the battery of its logger; then as in the catalogue.
 * The same property comes twice only where there is no other. */
export function headline(values: Iterable<Value>, by: Headed, most: number): Value[] {
  const places = [...by.properties.keys()];
  const weight = (value: Value): number => {
    const property = by.properties.get(value.observed_property);
    if (by.alerting.has(value.datastream)) return -1;
    if (!property) return Infinity;
    const kind = { measurement: 1, state: 2, counter: 3, bits: 4 }[property.kind];
    const group = abnormal(value, property) ? 0 : kind + (property.domain === by.domain ? 0 : 10);
    return group * places.length + places.indexOf(property.key);
  };
  const weighed = [...values]
    .map((value) => ({ value, weight: weight(value) }))
    .sort((one, other) => one.weight - other.weight || one.value.datastream_id - other.value.datastream_id);
  const seen = new Set<string>();
  const [first, again]: [Value[], Value[]] = [[], []];
  for (const { value } of weighed) {
    (seen.has(value.observed_property) ? again : first).push(value);
    seen.add(value.observed_property);
  }
  return [...first, ...again].slice(0, most);
}

/** Nothing new for three periods (docs/operator-api.md); at least as long as a tick of the clock can tell. */
export function isStale(age: number, periodSeconds: number): boolean {
  return age > Math.max(3 * periodSeconds * 1_000, 5_000);
}
