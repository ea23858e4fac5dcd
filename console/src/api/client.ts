import createClient, { type Middleware } from "openapi-fetch";

import { refusal, unanswered } from "./errors";
import type { paths } from "./schema";

const CSRF = "x-csrf-token";
const READS = new Set(["GET", "HEAD"]);

/**
 * The API of this service, over the page's own session. One for a page: it knows the session's CSRF token. Whether an
 * answer has changed since (ETag, 304) is the browser's own affair: the service tells it to ask each time.
 */
export function createApi(fetch: (request: Request) => Promise<Response> = (request) => globalThis.fetch(request)) {
  let csrfToken = "";
  const api = createClient<paths>({
    baseUrl: new URL("/api/v1", globalThis.location.origin).href,
    credentials: "same-origin",
    fetch,
    querySerializer: { array: { style: "form", explode: true } },
  });
  const frame: Middleware = {
    onRequest({ request }) {
      request.headers.set("accept", "application/json");
      if (!READS.has(request.method) && csrfToken) request.headers.set(CSRF, csrfToken);
      return request;
    },
    onError({ error }) {
      return unanswered(error);
    },
  };
  api.use(frame);
  return {
    ...api,
    rememberCsrfToken: (token: string | null) => {
      csrfToken = token ?? "";
    },
  };
}

export type Api = ReturnType<typeof createApi>;

/**
 * The body of a successful answer.
 * @throws ApiError for a refusal, or where nothing answered
 */
export async function told<Body>(call: Promise<{ data?: Body; error?: unknown; response: Response }>): Promise<Body> {
  const { data, error, response } = await call;
  if (!response.ok) throw refusal(response, error);
  return data as Body;
}
