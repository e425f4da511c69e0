import { describe, expect, it } from "vitest";
import { Api, ApiError } from "./api";

type Answer = { status?: number; body?: unknown };

function server(answers: Answer[]): { api: Api; asked: string[]; session: { token: string | null } } {
  const asked: string[] = [];
  const session = { token: "secret" as string | null };
  const api = new Api(
    { token: () => session.token, ended: () => (session.token = null) },
    async (path, request) => {
      asked.push(
        `${request?.method ?? "GET"} ${String(path)} ${new Headers(request?.headers).get("Authorization")}`,
      );
      const answer = answers.shift();
      if (!answer) throw new TypeError("Failed to fetch");
      return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), {
        status: answer.status ?? 200,
      });
    },
  );
  return { api, asked, session };
}

describe("Api", () => {
  it("sends the token, and writes lists as repeated parameters", async () => {
    const { api, asked } = server([{ body: {} }]);
    await api.get("/things", { domain: ["gas", "water"], q: "a b", limit: undefined });
    expect(asked).toEqual(["GET /api/v1/things?domain=gas&domain=water&q=a+b Bearer secret"]);
  });

  it("reads a list to its last page", async () => {
    const { api, asked } = server([
      { body: { items: [1, 2], next: "x" } },
      { body: { items: [3], next: null } },
    ]);
    expect(await api.all("/things")).toEqual([1, 2, 3]);
    expect(asked[1]).toContain("cursor=x");
  });

  it("tells what the problem document says", async () => {
    const { api } = server([
      { status: 409, body: { type: "/problems/outdated", detail: "Now at 3.", current_version: 3 } },
    ]);
    const error = await api.post("/alerts/1/acknowledge", { version: 2 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 409, message: "Now at 3.", problem: { current_version: 3 } });
  });

  it("has status 0 where there is no answer", async () => {
    const { api } = server([]);
    await expect(api.get("/city")).rejects.toMatchObject({ status: 0 });
  });

  it("ends a session that the server does not know, but not a newer one", async () => {
    const first = server([{ status: 401, body: {} }]);
    await expect(first.api.get("/city")).rejects.toMatchObject({ status: 401 });
    expect(first.session.token).toBeNull();

    const second = server([{ status: 401, body: {} }]);
    const asking = second.api.get("/city");
    second.session.token = "newer";
    await expect(asking).rejects.toMatchObject({ status: 401 });
    expect(second.session.token).toBe("newer");
  });
});
