/** The operator API over HTTP: bearer token, problem documents (RFC 9457), keyset pages. */
import type { Page } from "./model";

/** An answer that is not what was asked for. status 0: there was no answer at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** The problem document, where there is one. */
    readonly problem: Record<string, unknown>,
  ) {
    super(String(problem.detail ?? problem.title ?? `HTTP ${status}`));
  }

  /** Last part of the problem's type, e.g. "no-city"; "" where the answer has none. */
  get kind(): string {
    return typeof this.problem.type === "string" ? (this.problem.type.split("/").pop() ?? "") : "";
  }
}

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

/** Whoever holds the session: the token now, and what to do when the API does not know it any more. */
export interface Credentials {
  token(): string | null;
  ended(): void;
}

export class Api {
  constructor(
    private readonly credentials: Credentials,
    private readonly fetcher: typeof fetch = (...request) => fetch(...request),
  ) {}

  get<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
    return this.ask<Answer>(path + written(query), signal ? { signal } : {});
  }

  /** Every page of a list, one after the other. */
  async all<Item>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Item[]> {
    const items: Item[] = [];
    let cursor: string | undefined;
    do {
      const page: Page<Item> = await this.get(path, { limit: 1000, ...query, cursor }, signal);
      items.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor);
    return items;
  }

  /** An answer as it came, byte for byte. */
  async bytes(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.send(path, {})).arrayBuffer());
  }

  post<Answer>(path: string, body?: unknown): Promise<Answer> {
    return this.ask<Answer>(path, {
      method: "POST",
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
  }

  /** A stream that stays open (see live/events.ts). */
  async stream(path: string, lastEventId: string | null, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (lastEventId) headers["Last-Event-ID"] = lastEventId;
    return this.send(path, { headers, signal, cache: "no-store" });
  }

  private async ask<Answer>(path: string, request: RequestInit): Promise<Answer> {
    const answer = await this.send(path, request);
    return (answer.status === 204 ? undefined : await answer.json()) as Answer;
  }

  private async send(path: string, request: RequestInit): Promise<Response> {
    const headers = new Headers(request.headers);
    const token = this.credentials.token();
    if (token) headers.set("Authorization", `Bearer ${token}`);
    let answer: Response;
    try {
      answer = await this.fetcher(`/api/v1${path}`, { ...request, headers });
    } catch (error) {
      if (request.signal?.aborted) throw error;
      throw new ApiError(0, { title: String(error) });
    }
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({}));
    // Only if the token is still the one that was refused: somebody may have logged in meanwhile.
    if (answer.status === 401 && token && token === this.credentials.token()) this.credentials.ended();
    throw new ApiError(answer.status, problem);
  }
}

function written(query: Query): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) words.append(name, String(one));
  }
  const text = words.toString();
  return text && `?${text}`;
}
