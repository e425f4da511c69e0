/** Where in the console we are: the address is the state, so that it can be shared and the back button works. */

export type Route =
  | { view: "map"; thing: string | null }
  | { view: "alerts"; alert: number | null }
  | { view: "assets"; thing: string | null }
  | { view: "ledger" }
  | { view: "rejected"; rejection: number | null }
  | { view: "watch"; device: string }
  | { view: "about" }
  | { view: "nowhere"; path: string };

export const paths = {
  /** The map; with a thing, that thing chosen on it. */
  map: (thing?: string): string => (thing ? `/?thing=${encodeURIComponent(thing)}` : "/"),
  alerts: (): string => "/alerts",
  alert: (id: number): string => `/alerts/${id}`,
  assets: (): string => "/assets",
  asset: (key: string): string => `/assets/${encodeURIComponent(key)}`,
  ledger: (): string => "/ledger",
  rejected: (): string => "/rejected",
  rejection: (id: number): string => `/rejected/${id}`,
  watch: (device: string): string => `/devices/${encodeURIComponent(device)}/watch`,
  about: (): string => "/about",
};

/** PURE. */
function routeOf(path: string, search: string): Route {
  const [first = "", second, ...more] = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (first === "devices" && second !== undefined && more.length === 1 && more[0] === "watch")
    return { view: "watch", device: second };
  if (more.length) return { view: "nowhere", path };
  if (first === "" || first === "login")
    return { view: "map", thing: new URLSearchParams(search).get("thing") };
  if (first === "alerts" && (second === undefined || /^\d{1,15}$/.test(second)))
    return { view: "alerts", alert: second === undefined ? null : Number(second) };
  if (first === "assets") return { view: "assets", thing: second ?? null };
  if (first === "ledger" && second === undefined) return { view: "ledger" };
  if (first === "rejected" && (second === undefined || /^\d{1,15}$/.test(second)))
    return { view: "rejected", rejection: second === undefined ? null : Number(second) };
  if (first === "about" && second === undefined) return { view: "about" };
  return { view: "nowhere", path };
}

class Router {
  #address = $state({ path: location.pathname, search: location.search });
  readonly route = $derived(routeOf(this.#address.path, this.#address.search));

  begin(): void {
    addEventListener("popstate", () => this.#read());
    document.addEventListener("click", this.#clicked);
  }

  go(path: string, how: "push" | "replace" = "push"): void {
    if (path === location.pathname + location.search) return;
    history[how === "push" ? "pushState" : "replaceState"](null, "", path);
    this.#read();
  }

  #read(): void {
    this.#address = { path: location.pathname, search: location.search };
  }

  /** Plain links work without being told about the router. */
  #clicked = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const anchor = (event.target as Element | null)?.closest?.("a[href]");
    if (!(anchor instanceof HTMLAnchorElement) || anchor.target || anchor.origin !== location.origin) return;
    // A place on the page that is shown, as the link past the header: the browser goes there.
    if (anchor.hash && anchor.pathname === location.pathname && anchor.search === location.search) return;
    if (routeOf(anchor.pathname, anchor.search).view === "nowhere") return;
    event.preventDefault();
    this.go(anchor.pathname + anchor.search);
  };
}

export const router = new Router();
