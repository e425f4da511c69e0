/** PURE: where the rules begin to alert, as lines of a chart (docs/rules.md). */
import { SEVERITIES, type Datastream, type LocalName, type Rule, type Severity, type Thing } from "../model";

/** What a rule can select by (docs/rules.md, `match`). */
export interface Labels {
  observed_property: string;
  domain: string;
  channel: string;
  device_type: string;
  thing_kind: string;
  district: string;
  thing: string;
  device: string;
  datastream: string;
}

/** devices: those of the thing, with their types. */
export function labelsOf(
  thing: Pick<Thing, "key" | "domain" | "district" | "kind">,
  datastream: Pick<Datastream, "key" | "thing" | "observed_property" | "device">,
  devices: readonly { key: string; type: string }[],
): Labels {
  return {
    observed_property: datastream.observed_property,
    domain: thing.domain,
    channel: datastream.key.slice(datastream.thing.length + 1),
    device_type: devices.find((device) => device.key === datastream.device)?.type ?? "",
    thing_kind: thing.kind,
    district: thing.district,
    thing: thing.key,
    device: datastream.device ?? "",
    datastream: datastream.key,
  };
}

export interface Limit {
  rule: string;
  name: LocalName;
  severity: Severity;
  /** Of the property's unit. */
  value: number;
  operator: string;
}

interface ThresholdDocument {
  kind: string;
  name: LocalName;
  unit?: string;
  operator: string;
  target?: Partial<Record<keyof typeof LISTS, string[]>> & { observed_property?: string; match?: string[] };
  levels: { severity: Severity; value: number }[];
}

const LISTS = {
  channels: "channel",
  device_types: "device_type",
  thing_kinds: "thing_kind",
  districts: "district",
  domains: "domain",
  things: "thing",
} as const satisfies Record<string, keyof Labels>;

/** The levels of all threshold rules that look at this datastream, worst first.
 *
 * A rule in a unit that is not a multiple of the property's is left out. */
export function limitsOf(rules: Iterable<Rule>, labels: Labels, unit: string): Limit[] {
  const limits: Limit[] = [];
  for (const rule of rules) {
    const document = rule.document as unknown as ThresholdDocument;
    if (!rule.enabled || document.kind !== "threshold" || !targets(document.target ?? {}, labels)) continue;
    const factor = multiple(document.unit ?? unit, unit);
    if (factor === null) continue;
    for (const { severity, value } of document.levels)
      limits.push({
        rule: rule.key,
        name: document.name,
        severity,
        value: value * factor,
        operator: document.operator,
      });
  }
  return limits.sort((one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity));
}

function targets(target: NonNullable<ThresholdDocument["target"]>, labels: Labels): boolean {
  const { observed_property: property, match = [] } = target;
  if (property !== undefined && property !== labels.observed_property) return false;
  for (const [list, label] of Object.entries(LISTS) as [keyof typeof LISTS, keyof Labels][]) {
    const wanted = target[list];
    if (wanted?.length && !wanted.includes(labels[label])) return false;
  }
  return match.every((matcher) => matches(matcher, labels));
}

const MATCHER = /^\s*([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"\s*$/;

/** One label matcher as Alertmanager writes it. */
function matches(matcher: string, labels: Labels): boolean {
  const [, label = "", operator = "", wanted = ""] = MATCHER.exec(matcher) ?? [];
  const held = (labels as unknown as Record<string, string>)[label] ?? "";
  if (operator === "=") return held === wanted;
  if (operator === "!=") return held !== wanted;
  try {
    return new RegExp(`^(?:${wanted})$`, "u").test(held) === (operator === "=~");
  } catch {
    // A pattern that only Python understands.
    return false;
  }
}

const PREFIXES: Record<string, number> = { M: 1e6, k: 1e3, h: 1e2, "": 1, c: 1e-2, m: 1e-3, u: 1e-6 };
const BASES = ["V.A{reactive}", "W.h", "Pa", "Hz", "W", "V", "A", "m"];

/** How many `to` one `from` is, of units that differ in their prefix; else null. */
export function multiple(from: string, to: string): number | null {
  if (from === to) return 1;
  for (const base of BASES) {
    const [one, other] = [from, to].map((unit) =>
      unit.endsWith(base) ? PREFIXES[unit.slice(0, -base.length)] : undefined,
    );
    if (one !== undefined && other !== undefined) return one / other;
  }
  return null;
}
