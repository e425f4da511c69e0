import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api, ApiError } from "../api";
import type { ServerEvent } from "./events";
import { LiveStream } from "./stream";

/** A server whose streams the test writes, one after the other. */
class Server {
  readonly asked: (string | null)[] = [];
  #writers: ReadableStreamDefaultController<Uint8Array>[] = [];
  answer: () => Response | Error = () => this.#open();

  readonly api = new Api({ token: () => "t", ended: () => undefined }, async (_path, request) => {
    this.asked.push(new Headers(request?.headers).get("Last-Event-ID"));
    const answer = this.answer();
    if (answer instanceof Error) throw answer;
    const writer = this.#writers.at(-1);
    request?.signal?.addEventListener("abort", () => {
      try {
        writer?.error(new Error("aborted"));
      } catch {
        // It had ended already.
      }
    });
    return answer;
  });

  say(event: string, data: unknown, id?: string): void {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n${id ? `id: ${id}\n` : ""}\n`;
    this.#writers.at(-1)?.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.#writers.at(-1)?.close();
  }

  #open(): Response {
    return new Response(new ReadableStream({ start: (writer) => void this.#writers.push(writer) }));
  }
}

describe("LiveStream", () => {
  const heard: ServerEvent[] = [];
  const alive: boolean[] = [];
  let server: Server;
  let stream: LiveStream;

  beforeEach(() => {
    vi.useFakeTimers();
    heard.length = alive.length = 0;
    server = new Server();
    stream = new LiveStream(server.api, "/live/latest", {
      event: (event) => heard.push(event),
      alive: (is) => alive.push(is),
    });
  });

  afterEach(() => {
    stream.close();
    vi.useRealTimers();
  });

  const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

  it("is alive with a snapshot and with heartbeats of a server that follows", async () => {
    stream.open();
    await settle();
    server.say("snapshot", {}, "observations:1");
    await settle();
    expect(alive).toEqual([true]);
    server.say("heartbeat", { following: false });
    await settle();
    expect(alive).toEqual([true, false]);
    server.say("heartbeat", { following: true });
    await settle();
    expect(alive.at(-1)).toBe(true);
  });

  it("takes silence for the end within eight seconds, and asks again from where it was", async () => {
    stream.open();
    await settle();
    server.say("snapshot", {}, "observations:5");
    await settle();
    await settle(8_000);
    expect(alive.at(-1)).toBe(false);
    await settle(1_000);
    expect(server.asked).toEqual([null, "observations:5"]);
  });

  it("is alive at once where it goes on from a known place", async () => {
    stream.open();
    await settle();
    server.say("hello", { following: true });
    await settle();
    expect(alive).toEqual([]);
    server.say("snapshot", {}, "observations:5");
    await settle();
    server.end();
    await settle(600);
    server.say("hello", { following: true });
    await settle();
    expect(alive).toEqual([true, false, true]);
  });

  it("comes back after the server has ended the stream", async () => {
    stream.open();
    await settle();
    server.end();
    await settle(600);
    expect(alive).toEqual([false]);
    server.say("snapshot", {});
    await settle();
    expect(alive).toEqual([false, true]);
  });

  it("waits longer and longer for a server that is away, but never more than four seconds", async () => {
    server.answer = () => new TypeError("refused");
    stream.open();
    await settle(60_000);
    expect(server.asked.length).toBeGreaterThan(14);
    expect(server.asked.length).toBeLessThan(22);
    expect(alive).not.toContain(true);
  });

  it("begins anew after a reset", async () => {
    stream.open();
    await settle();
    server.say("snapshot", {}, "observations:5");
    server.say("reset", {});
    await settle();
    server.end();
    await settle(600);
    expect(server.asked).toEqual([null, null]);
  });

  it("does not ask again once the session has ended", async () => {
    server.answer = () => new Response("{}", { status: 401 });
    stream.open();
    await settle(60_000);
    expect(server.asked.length).toBe(1);
  });

  it("is quiet after it was closed", async () => {
    stream.open();
    await settle();
    stream.close();
    await settle(60_000);
    expect(server.asked.length).toBe(1);
    expect(alive).toEqual([]);
  });
});

describe("ApiError", () => {
  it("tells the kind of problem", () => {
    expect(new ApiError(404, { type: "http://x/problems/no-city" }).kind).toBe("no-city");
    expect(new ApiError(0, {}).kind).toBe("");
  });
});
