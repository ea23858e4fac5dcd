import { describe, expect, it } from "vitest";

import { createApi, told } from "./client";
import { ApiError, mayPass } from "./errors";
import type { Session } from "./types";

function answering(answer: () => Response | Promise<Response>) {
  const asked: Request[] = [];
  const api = createApi(async (request) => {
    asked.push(request);
    return answer();
  });
  return { api, asked };
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

describe("the client of the API", () => {
  it("tells the CSRF token with writes only", async () => {
    const { api, asked } = answering(() => json(200, {}));
    api.rememberSession({ csrf_token: "t" } as Session);
    await told(api.GET("/session"));
    await told(api.POST("/session", { body: { user: "u", password: "p" } }));
    expect(asked.map((request) => request.headers.get("x-csrf-token"))).toEqual([null, "t"]);
    expect(asked[0]?.url).toBe(`${location.origin}/api/v1/session`);
  });

  describe("where another window has logged in anew", () => {
    const session = (user: string, csrf_token: string) => ({ user, account: { id: "a" }, csrf_token }) as Session;

    function loggedInAnew(as: string | null) {
      const sent: string[] = [];
      const api = createApi(async (request) => {
        if (request.method === "GET" && as === null) throw new TypeError("Failed to fetch");
        if (request.method === "GET") return json(200, session(as ?? "", "new"));
        sent.push(`${request.headers.get("x-csrf-token")} ${await request.text()}`);
        const isRight = request.headers.get("x-csrf-token") === "new";
        return isRight ? json(200, {}) : json(403, { error: { code: "CsrfRefused", message: "no", request_id: "r" } });
      });
      api.rememberSession(session("lin", "old"));
      const write = () => told(api.POST("/roles", { body: { name: "copy" } as never }));
      return { write, sent };
    }

    it("says a write once more as the same user", async () => {
      const { write, sent } = loggedInAnew("lin");
      await write();
      await write();
      expect(sent).toEqual(['old {"name":"copy"}', 'new {"name":"copy"}', 'new {"name":"copy"}']);
    });

    it("stays refused where nobody tells who is logged in", async () => {
      const { write } = loggedInAnew(null);
      await expect(write()).rejects.toMatchObject({ status: 403, code: "CsrfRefused" });
    });

    it("does nothing as another user", async () => {
      const { write, sent } = loggedInAnew("mei");
      await expect(write()).rejects.toMatchObject({ status: 403, code: "CsrfRefused" });
      expect(sent).toHaveLength(1);
    });
  });

  it("repeats what may be given several times", async () => {
    const { api, asked } = answering(() => json(200, {}));
    await told(api.GET("/jobs", { params: { query: { status: ["Active", "Paused"] } } }));
    expect(new URL(asked[0]?.url ?? "").search).toBe("?status=Active&status=Paused");
  });

  it("makes an error of a refusal", async () => {
    const fault = { path: "limit", value: "0", problem: "too small", way_out: "" };
    const body = { error: { code: "InvalidRequest", message: "no", request_id: "r", faults: [fault] } };
    const { api } = answering(() => json(429, body, { "retry-after": "7" }));
    const error = await told(api.GET("/session")).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 429,
      code: "InvalidRequest",
      requestId: "r",
      retryAfterSeconds: 7,
      faults: [fault],
    });
    expect(mayPass(error)).toBe(true);
  });

  it("makes an error of what is no answer of the service", async () => {
    const { api } = answering(() => new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
    await expect(told(api.GET("/session"))).rejects.toMatchObject({ status: 502, code: "HTTP 502" });
  });

  it("makes an error where nothing answers", async () => {
    const { api } = answering(() => Promise.reject(new TypeError("Failed to fetch")));
    const error = await told(api.GET("/session")).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 0, code: "NoAnswer" });
    expect(mayPass(error)).toBe(true);
  });
});
