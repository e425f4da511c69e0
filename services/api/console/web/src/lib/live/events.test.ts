import { describe, expect, it } from "vitest";
import { EventReader, type ServerEvent } from "./events";

const TEXT =
  ': a comment\nretry: 2000\nevent: hello\ndata: {"time":1}\n\n' +
  'event: latest\ndata: {"observations":\ndata: [1, 2]}\nid: observations:7\n\n' +
  "event: heartbeat\r\ndata: {}\r\n\r\n";

const WHOLE: ServerEvent[] = [
  { event: "hello", id: null, data: { time: 1 } },
  { event: "latest", id: "observations:7", data: { observations: [1, 2] } },
  { event: "heartbeat", id: null, data: {} },
];

describe("EventReader", () => {
  it("reads events wherever the pieces end", () => {
    for (let size = 1; size <= TEXT.length; size++) {
      const reader = new EventReader();
      const events: ServerEvent[] = [];
      for (let at = 0; at < TEXT.length; at += size) events.push(...reader.read(TEXT.slice(at, at + size)));
      expect(events).toEqual(WHOLE);
    }
  });

  it("keeps an event that has not ended", () => {
    const reader = new EventReader();
    expect(reader.read("event: latest\ndata: {}\n")).toEqual([]);
    expect(reader.read("\n")).toEqual([{ event: "latest", id: null, data: {} }]);
  });

  it("passes over what is no JSON, and goes on", () => {
    expect(new EventReader().read("data: <html>\n\ndata: 1\n\n")).toEqual([
      { event: "message", id: null, data: 1 },
    ]);
  });
});
