/** PURE: what is drawn over the assets: alerts, and the chosen thing with what feeds it and what it feeds. */
import { SEVERITIES, type Alert, type Relation, type Severity, type Thing } from "../model";
import { collection, feature, feedOf, isNetwork, names, point, whereIs } from "./features";

/** new: fires and nobody has acknowledged it; known: fires, acknowledged; over: ended before anybody did. */
export type MarkState = "new" | "known" | "over";

export interface Mark {
  thing: Thing;
  severity: Severity;
  state: MarkState;
  /** Of the alert that gives severity and state. */
  alert: number;
  /** Alerts of this thing that want attention. */
  count: number;
}

export function markState(alert: Alert): MarkState {
  if (alert.state !== "firing") return "over";
  return alert.acknowledged ? "known" : "new";
}

const STATES: readonly MarkState[] = ["new", "known", "over"];

/** Smaller is worse: what fires goes before what is over, then the severity, then what nobody has seen. */
function weight(severity: Severity, state: MarkState): number {
  return Number(state === "over") * 100 + SEVERITIES.indexOf(severity) * 10 + STATES.indexOf(state);
}

/** One mark a thing, for the worst of its alerts; the worst last, so that it is drawn on top. */
export function marksOf(alerts: readonly Alert[], things: ReadonlyMap<string, Thing>): Mark[] {
  const marks = new Map<string, Mark>();
  for (const alert of alerts) {
    const thing = things.get(alert.thing ?? "");
    if (!thing) continue;
    const mark = {
      thing,
      severity: alert.severity,
      state: markState(alert),
      alert: alert.alert_id,
      count: 1,
    };
    const held = marks.get(thing.key);
    const worse = !held || weight(mark.severity, mark.state) < weight(held.severity, held.state);
    marks.set(thing.key, { ...(worse ? mark : held), count: (held?.count ?? 0) + 1 });
  }
  return [...marks.values()].sort(
    (one, other) => weight(other.severity, other.state) - weight(one.severity, one.state),
  );
}

export function markFeatures(marks: readonly Mark[]): GeoJSON.FeatureCollection<GeoJSON.Point> {
  return collection(
    marks.map(({ thing, severity, state }) =>
      feature(
        {
          key: thing.key,
          image: `${severity}-${state}`,
          rank: -weight(severity, state),
          ...names(thing.name),
        },
        point(whereIs(thing)),
      ),
    ),
  );
}

/** Things whose newest unacknowledged alert was not there before. */
export function newlyFiring(alerts: readonly Alert[], known: ReadonlySet<number>): string[] {
  return alerts
    .filter((alert) => alert.thing !== null && !known.has(alert.alert_id) && markState(alert) === "new")
    .map((alert) => alert.thing ?? "");
}

export function chosenFeatures(
  thing: Thing | undefined,
  relations: readonly Relation[],
  things: ReadonlyMap<string, Thing>,
): GeoJSON.FeatureCollection {
  if (!thing) return collection([]);
  const ring: GeoJSON.Feature[] = [feature({ key: thing.key }, point(whereIs(thing)))];
  if (thing.geometry && thing.geometry.type !== "Point")
    ring.push(feature({ key: thing.key }, thing.geometry));
  const feeds = relations.filter(
    ({ kind, source, target }) => kind === "feeds" && (source === thing.key || target === thing.key),
  );
  const near = feeds
    .map(({ source, target }) => things.get(source === thing.key ? target : source))
    .flatMap((other) => (other && isNetwork(other) ? feature({ near: other.key }, other.geometry!) : []));
  const straight = feeds.flatMap((relation) => feedOf(relation, things) ?? []);
  return collection<GeoJSON.Geometry>([...near, ...straight, ...ring]);
}

/** One step around a thing, by key. */
export interface Around {
  fedBy: string[];
  feeds: string[];
  within: string[];
  contains: string[];
}

export function around(thing: string, relations: readonly Relation[]): Around {
  const found: Around = { fedBy: [], feeds: [], within: [], contains: [] };
  for (const { kind, source, target } of relations) {
    if (source === thing) found[kind].push(target);
    if (target === thing) found[kind === "feeds" ? "fedBy" : "within"].push(source);
  }
  return found;
}
