/** The server's clock, told once a second: whoever shows an age reads it, and is drawn again. */
import { createSubscriber } from "svelte/reactivity";
import { link } from "./live/link.svelte";

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1_000);
  return () => clearInterval(timer);
});

/** Unix milliseconds; in a component, it is drawn again every second. */
export function now(): number {
  subscribe();
  return link.now();
}
