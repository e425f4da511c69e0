/** What the operator API says (docs/operator-api.md); names as there. */

export type Language = "kk" | "ru" | "en";
export const LANGUAGES: readonly Language[] = ["kk", "ru", "en"];

/** A name in the city's three languages. */
export type LocalName = Record<Language, string>;

export type Severity = "critical" | "high" | "medium" | "low";
/** Worst first. */
export const SEVERITIES: readonly Severity[] = ["critical", "high", "medium", "low"];

export type AlertState = "inactive" | "pending" | "firing" | "resolved";
export type AlertClass = "process" | "equipment" | "platform";
export type Quality = "good" | "unknown" | "suspect" | "fail" | "missing";
export type PropertyKind = "measurement" | "counter" | "state" | "bits";

export interface User {
  name: string;
  role: "viewer" | "operator" | "engineer" | "admin";
  /** What the user may see and act in; null: all. */
  domains: string[] | null;
  districts: string[] | null;
  expires_at: string;
}

export interface City {
  key: string;
  name: LocalName;
  /** IANA, e.g. Asia/Almaty. */
  time_zone: string;
  longitude: number;
  latitude: number;
  revision: number;
  time: string;
}

export interface District {
  district_id: number;
  key: string;
  name: LocalName;
  area: GeoJSON.Polygon | GeoJSON.MultiPolygon | null;
}

export interface Thing {
  thing_id: number;
  key: string;
  kind: string;
  domain: string;
  district: string;
  name: LocalName;
  description: LocalName | null;
  status: "planned" | "under_construction" | "operating";
  protected: boolean;
  longitude: number;
  latitude: number;
  geometry: GeoJSON.Geometry | null;
  properties: Record<string, unknown>;
}

/** kind "feeds": source supplies target; "contains": source holds target. */
export interface Relation {
  kind: "contains" | "feeds";
  source: string;
  target: string;
}

/** Of a state: the number stored. Of bits: the bit's weight. */
export interface StateCode {
  value: number;
  key: string;
  name: LocalName;
  abnormal: boolean;
}

export interface ObservedProperty {
  key: string;
  domain: string;
  kind: PropertyKind;
  /** UCUM. */
  unit: string;
  name: LocalName;
  plausible_min: number | null;
  plausible_max: number | null;
  aggregations: string[];
  codes: StateCode[];
  privacy: "public" | "internal" | "household";
}

export interface Datastream {
  datastream_id: number;
  key: string;
  name: LocalName;
  thing: string;
  observed_property: string;
  unit: string;
  kind: PropertyKind;
  aggregations: string[];
  privacy: "public" | "internal" | "household";
  device: string | null;
  /** How often it is reported. */
  period_seconds: number;
}

/** The newest value of a datastream, as the live stream gives it. */
export interface Value {
  datastream_id: number;
  datastream: string;
  thing: string;
  observed_property: string;
  unit: string;
  phenomenon_time: string;
  result: number;
  quality: Quality;
  /** Of a state its code, of bits all that are set. */
  codes?: string[];
}

export interface Acknowledged {
  at: string;
  by: string;
  version: number;
  note: string | null;
}

export interface Alert {
  alert_id: number;
  fingerprint: string;
  version: number;
  state: AlertState;
  severity: Severity;
  class: AlertClass;
  rule: string;
  labels: Record<string, string>;
  domain: string;
  district: string | null;
  thing: string | null;
  datastream: string | null;
  value: number | null;
  cause: LocalName;
  consequence: LocalName;
  action: LocalName;
  /** ISO 8601 duration. */
  respond_within: string;
  starts_at: string;
  detected_at: string | null;
  ends_at: string | null;
  acknowledged: Acknowledged | null;
  in_inbox: boolean;
  updated_at: string;
}

export interface JournalEntry {
  at: string;
  action: string;
  actor: string;
  version: number;
  reason: string;
  value: number | null;
  note: string | null;
}

export interface Rule {
  key: string;
  version: number;
  enabled: boolean;
  /** The whole rule, as its YAML says it (docs/rules.md). */
  document: Record<string, unknown>;
}

export interface Page<Item> {
  items: Item[];
  next: string | null;
}
