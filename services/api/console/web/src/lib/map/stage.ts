/** The map itself: MapLibre with everything drawn here, no tile and no picture from anywhere else.
 *
 * Live values never come here: only what changes the look of an asset, as feature states. */
import {
  type GeoJSONSource,
  type LayerSpecification,
  Map as MapLibre,
  type MapGeoJSONFeature,
  Marker,
  type MapMouseEvent,
  type PaddingOptions,
  type Point,
  setWorkerUrl,
  type StyleSpecification,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { Box, CityFeatures, LngLat } from "./features";
import { collection } from "./features";
import { imagesOf, PIXEL_RATIO } from "./images";
import { layersOf, type Look } from "./layers";
import type { AssetState } from "./states";
import { seenAt, type Tier } from "./tiers";

setWorkerUrl(workerUrl);

export interface Camera {
  center: LngLat;
  zoom: number;
}

export interface StageEvents {
  /** Everything has been drawn for the first time. */
  ready(): void;
  moved(camera: Camera): void;
  /** A thing was clicked; null: nothing was there. */
  chosen(thing: string | null): void;
  /** What the pointer is over, and where. */
  pointed(thing: string | null, at: Point): void;
}

const EMPTY = collection([]);
/** Room for names beside the city and for the controls below it, pixels. */
const FRAME: PaddingOptions = { top: 24, bottom: 72, left: 32, right: 32 };
/** How far from a mark a click still counts, pixels. */
const REACH = { mouse: 6, touch: 18 } as const;
const TOGETHER_MS = 150;
const CLOSE_ZOOM = 13.5;
const PULSES_AT_MOST = 20;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const CLICKABLE = /^(alert-marks|asset-(dots|rings)|network-(?!names))/;

export class Stage {
  readonly #map: MapLibre;
  #layers: LayerSpecification[];
  #waiting: (() => void)[] | null = [];
  #networks: ReadonlySet<string>;
  #box: Box | null;
  readonly #markers = new Set<Marker>();
  #marks: GeoJSON.FeatureCollection = EMPTY;
  #marking: ReturnType<typeof setTimeout> | undefined;

  /** Throws where the browser has no WebGL 2. */
  constructor(
    container: HTMLElement,
    city: CityFeatures,
    private look: Look,
    camera: Camera | null,
    private readonly events: StageEvents,
  ) {
    this.#layers = layersOf(look);
    this.#networks = keysOf(city.networks);
    this.#box = city.box;
    this.#map = new MapLibre({
      container,
      style: styleOf(city, this.#layers),
      ...(camera ?? (city.box ? { bounds: city.box, fitBoundsOptions: { padding: FRAME } } : {})),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxZoom: 18,
      minZoom: 6,
      fadeDuration: 0,
      renderWorldCopies: false,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.keyboard.disableRotation();
    this.#listen();
  }

  setCity(city: CityFeatures): void {
    this.#networks = keysOf(city.networks);
    this.#box = city.box;
    for (const name of ["districts", "places", "networks", "feeds", "assets"] as const)
      this.#put(name, city[name]);
  }

  /** Many alerts change at once when a main bursts: they are drawn together. */
  setAlerts(marks: GeoJSON.FeatureCollection): void {
    this.#marks = marks;
    this.#marking ??= setTimeout(() => {
      this.#marking = undefined;
      this.#put("alerts", this.#marks);
    }, TOGETHER_MS);
  }

  setChosen(chosen: GeoJSON.FeatureCollection): void {
    this.#put("chosen", chosen);
  }

  setStates(changes: readonly (readonly [string, AssetState])[]): void {
    this.#then(() => {
      for (const [id, state] of changes)
        this.#map.setFeatureState({ source: this.#networks.has(id) ? "networks" : "assets", id }, state);
    });
  }

  /** Colours, language or choice: only what differs is told to the map, so that nothing flashes. */
  setLook(look: Look): void {
    const recoloured = look.palette !== this.look.palette;
    this.look = look;
    this.#then(() => {
      if (recoloured) this.#drawImages();
      const next = layersOf(look);
      next.forEach((layer, index) => this.#adapt(this.#layers[index], layer));
      this.#layers = next;
    });
  }

  /** padding: what covers the map's edges, pixels. */
  fly(center: LngLat, padding: PaddingOptions): void {
    this.#map.easeTo({ center, zoom: Math.max(this.#map.getZoom(), CLOSE_ZOOM), padding, duration: 900 });
  }

  fit(box: Box | null = this.#box): void {
    if (!box) return;
    this.#map.fitBounds(box, { padding: FRAME, duration: 700 });
  }

  zoomBy(steps: number): void {
    this.#map.easeTo({ zoom: this.#map.getZoom() + steps, duration: 200 });
  }

  /** Whether a place is on the screen, not under what covers the map's edges. */
  sees(place: LngLat, covered: PaddingOptions): boolean {
    const { x, y } = this.#map.project(place);
    const { clientWidth, clientHeight } = this.#map.getContainer();
    return (
      x > (covered.left ?? 0) &&
      y > (covered.top ?? 0) &&
      x < clientWidth - (covered.right ?? 0) &&
      y < clientHeight - (covered.bottom ?? 0)
    );
  }

  describe(words: string): void {
    this.#map.getCanvas().setAttribute("aria-label", words);
  }

  /** A ring that spreads once. The element's class says how; it goes when its animation has ended. */
  pulse(place: LngLat, className: string): void {
    // Without motion nothing would end it.
    if (this.#markers.size >= PULSES_AT_MOST || STILL.matches) return;
    const element = document.createElement("div");
    const ring = document.createElement("i");
    ring.className = className;
    element.append(ring);
    const marker = new Marker({ element }).setLngLat(place).addTo(this.#map);
    element.removeAttribute("aria-label");
    element.removeAttribute("role");
    element.setAttribute("aria-hidden", "true");
    this.#markers.add(marker);
    ring.addEventListener("animationend", () => {
      marker.remove();
      this.#markers.delete(marker);
    });
  }

  remove(): void {
    clearTimeout(this.#marking);
    this.#map.remove();
  }

  #listen(): void {
    this.#map.once("style.load", () => {
      this.#drawImages();
      for (const act of this.#waiting ?? []) act();
      this.#waiting = null;
      this.#map.once("idle", () => this.events.ready());
    });
    this.#map.on("move", () => this.events.moved(this.camera()));
    this.#map.on("click", (event) => this.events.chosen(this.#hit(event)));
    this.#map.on("mousemove", (event) => this.#point(event));
    this.#map.on("mouseout", (event) => this.events.pointed(null, event.point));
  }

  camera(): Camera {
    const { lng, lat } = this.#map.getCenter();
    return { center: [lng, lat], zoom: this.#map.getZoom() };
  }

  #point(event: MapMouseEvent): void {
    const thing = this.#hit(event);
    this.#map.getCanvas().style.cursor = thing ? "pointer" : "";
    this.events.pointed(thing, event.point);
  }

  /** What stands at a point: an alert before an asset, an asset before a line, then the nearest. */
  #hit(event: MapMouseEvent): string | null {
    if (this.#waiting) return null;
    const touch = "pointerType" in event.originalEvent && event.originalEvent.pointerType === "touch";
    const reach = touch ? REACH.touch : REACH.mouse;
    const { x, y } = event.point;
    const layers = this.#layers.map((layer) => layer.id).filter((id) => CLICKABLE.test(id));
    const found = this.#map.queryRenderedFeatures(
      [
        [x - reach, y - reach],
        [x + reach, y + reach],
      ],
      { layers },
    );
    const best = found
      .filter((one) => one.source !== "assets" || seenAt(one.properties.tier as Tier, this.#map.getZoom()))
      .map((one) => ({ key: String(one.properties.key), rank: this.#rank(one, event.point) }))
      .sort((one, other) => one.rank - other.rank)[0];
    return best?.key ?? null;
  }

  #rank(found: MapGeoJSONFeature, at: Point): number {
    const level = ["alerts", "assets", "networks"].indexOf(found.source) * 1_000;
    if (found.geometry.type !== "Point") return level;
    const [x = 0, y = 0] = found.geometry.coordinates;
    return level + this.#map.project([x, y]).dist(at);
  }

  #put(source: string, data: GeoJSON.FeatureCollection): void {
    this.#then(() => void this.#map.getSource<GeoJSONSource>(source)?.setData(data));
  }

  #then(act: () => void): void {
    if (this.#waiting) this.#waiting.push(act);
    else act();
  }

  #drawImages(): void {
    for (const [name, image] of imagesOf(this.look.palette))
      if (this.#map.hasImage(name)) this.#map.updateImage(name, image);
      else this.#map.addImage(name, image, { pixelRatio: PIXEL_RATIO });
  }

  #adapt(before: LayerSpecification | undefined, after: LayerSpecification): void {
    const set = this.#map;
    for (const [name, value] of differences(before?.paint, after.paint))
      set.setPaintProperty(after.id, name as never, value as never);
    for (const [name, value] of differences(before?.layout, after.layout))
      set.setLayoutProperty(after.id, name as never, value as never);
    if (!("filter" in after) || !before || !("filter" in before)) return;
    if (JSON.stringify(before.filter) !== JSON.stringify(after.filter)) set.setFilter(after.id, after.filter);
  }
}

function styleOf(city: CityFeatures, layers: LayerSpecification[]): StyleSpecification {
  const source = (data: GeoJSON.FeatureCollection, keyed = false) => ({
    type: "geojson" as const,
    data,
    ...(keyed ? { promoteId: "key" } : {}),
  });
  return {
    version: 8,
    sources: {
      districts: source(city.districts),
      places: source(city.places),
      networks: source(city.networks, true),
      feeds: source(city.feeds),
      assets: source(city.assets, true),
      chosen: source(EMPTY),
      alerts: source(EMPTY),
    },
    layers,
  };
}

function keysOf({ features }: GeoJSON.FeatureCollection): ReadonlySet<string> {
  return new Set(features.map(({ properties }) => String(properties?.key)));
}

function differences(before: object | undefined, after: object | undefined): [string, unknown][] {
  const held = new Map(Object.entries(before ?? {}));
  return Object.entries(after ?? {}).filter(
    ([name, value]) => JSON.stringify(held.get(name)) !== JSON.stringify(value),
  );
}
