/** Reads what a chart shows from the API. */
import type { Api } from "../api";
import type { Datastream, StateCode } from "../model";
import { coarser, resolutionFor, type Bucket, type Resolution } from "./plan";
import type { Span } from "./range";
import {
  addBuckets,
  addObservations,
  emptyTrack,
  figureOf,
  type Observation,
  type Sums,
  type Track,
} from "./track";

interface Series<Own> {
  datastream: string;
  aggregations: string[];
  codes: StateCode[];
  observations?: Own[];
  buckets?: Own[];
}

interface ObservationPage {
  series: Series<Observation>[];
  next: string | null;
}

const PAGE = 10_000;
/** With more pages than these a device talks far more than its period says: buckets instead. */
const MOST_PAGES = 6;

/** The curves of some datastreams of one kind within a span, all in one resolution. */
export async function readTracks(
  api: Api,
  datastreams: readonly Datastream[],
  span: Span,
  signal: AbortSignal,
): Promise<Track[]> {
  const period = Math.min(...datastreams.map((one) => one.period_seconds * 1_000));
  const resolution = resolutionFor(datastreams[0]?.kind ?? "measurement", span.to - span.from, period);
  if (resolution !== "raw") return readBuckets(api, datastreams, span, resolution, signal);
  return (
    (await readObservations(api, datastreams, span, signal)) ??
    (await readBuckets(api, datastreams, span, coarser(span.to - span.from), signal))
  );
}

function tracksOf(datastreams: readonly Datastream[], resolution: Resolution): Map<string, Track> {
  return new Map(
    datastreams.map(({ key, period_seconds, aggregations }) => [
      key,
      emptyTrack(
        { datastream: key, resolution, period: period_seconds * 1_000 },
        resolution === "raw" ? "value" : figureOf(aggregations),
      ),
    ]),
  );
}

const asked = (datastreams: readonly Datastream[], { from, to }: Span) => ({
  datastream: datastreams.map((one) => one.key),
  start: new Date(from).toISOString(),
  end: new Date(to).toISOString(),
});

/** null: too many. */
async function readObservations(
  api: Api,
  datastreams: readonly Datastream[],
  span: Span,
  signal: AbortSignal,
): Promise<Track[] | null> {
  const tracks = tracksOf(datastreams, "raw");
  let cursor: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const query = { ...asked(datastreams, span), limit: PAGE, cursor };
    const page = await api.get<ObservationPage>("/observations", query, signal);
    for (const series of page.series) {
      const track = tracks.get(series.datastream);
      if (track) addObservations(track, series.observations ?? []);
    }
    if (!page.next) return [...tracks.values()];
    cursor = page.next;
  }
  return null;
}

async function readBuckets(
  api: Api,
  datastreams: readonly Datastream[],
  span: Span,
  bucket: Bucket,
  signal: AbortSignal,
): Promise<Track[]> {
  const tracks = tracksOf(datastreams, bucket);
  const answer = await api.get<{ series: Series<Sums>[] }>(
    "/observations/buckets",
    { ...asked(datastreams, span), bucket },
    signal,
  );
  for (const series of answer.series) {
    const track = tracks.get(series.datastream);
    if (track) addBuckets(track, series.buckets ?? [], series.codes);
  }
  return [...tracks.values()];
}
