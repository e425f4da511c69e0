/** After an upgrade an open tab may ask for files that are gone: then the new console is loaded, at most once a minute. */

const LOADED_AT = "alatau.reloaded";
const PAUSE_MS = 60_000;

export function reloadWhenUpgraded(): void {
  addEventListener("vite:preloadError", (event) => {
    if (Date.now() - Number(sessionStorage.getItem(LOADED_AT)) < PAUSE_MS) return;
    event.preventDefault();
    sessionStorage.setItem(LOADED_AT, String(Date.now()));
    location.reload();
  });
}
