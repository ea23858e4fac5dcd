import { describe, expect, it } from "vitest";

import { createApi, told } from "./client";
import { ApiError, mayPass } from "./errors";

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
    api.rememberCsrfToken("t");
    await told(api.GET("/session"));
    await told(api.POST("/session", { body: { user: "u", password: "p" } }));
    expect(asked.map((request) => request.headers.get("x-csrf-token"))).toEqual([null, "t"]);
    expect(asked[0]?.url).toBe(`${location.origin}/api/v1/session`);
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
