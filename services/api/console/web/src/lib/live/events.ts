/** Server-sent events over fetch (WHATWG HTML, 9.2): EventSource cannot send the Authorization header. */

export interface ServerEvent {
  event: string;
  id: string | null;
  data: unknown;
}

/** Cuts a text stream into events; pieces may end anywhere. */
export class EventReader {
  #rest = "";
  #event = "message";
  #id: string | null = null;
  #data: string[] = [];

  /** The events that this piece completes. Data that is no JSON is passed over. */
  read(piece: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line) this.#take(line);
      else this.#finish(events);
    }
    return events;
  }

  #take(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id") this.#id = value;
  }

  #finish(events: ServerEvent[]): void {
    if (this.#data.length) {
      try {
        events.push({ event: this.#event, id: this.#id, data: JSON.parse(this.#data.join("\n")) });
      } catch {
        // A server that sends something else is not one of ours.
      }
    }
    this.#event = "message";
    this.#id = null;
    this.#data = [];
  }
}
