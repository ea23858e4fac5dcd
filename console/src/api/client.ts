import createClient, { type Middleware } from "openapi-fetch";

import { refusal, unanswered } from "./errors";
import type { paths } from "./schema";
import type { Session } from "./types";

const BASE = new URL("/api/v1", globalThis.location.origin).href;
const CSRF = "x-csrf-token";
const READS = new Set(["GET", "HEAD"]);

/**
 * The API of this service, over the page's own session. One for a page: it knows the session's CSRF token. Whether an
 * answer has changed since (ETag, 304) is the browser's own affair: the service tells it to ask each time.
 */
export function createApi(fetch: (request: Request) => Promise<Response> = (request) => globalThis.fetch(request)) {
  let session: Session | null = null;
  const api = createClient<paths>({
    baseUrl: BASE,
    credentials: "same-origin",
    fetch: sendAgain,
    querySerializer: { array: { style: "form", explode: true } },
  });

  /** Another window of the browser may have logged in anew: as long as it is the same user, a write is said once more. */
  async function sendAgain(request: Request): Promise<Response> {
    const again = READS.has(request.method) ? null : request.clone();
    const response = await fetch(request);
    if (!again || !session || !(await isCsrfRefused(response))) return response;
    const now = await sessionNow();
    if (!now?.csrf_token || now.user !== session.user || now.account.id !== session.account.id) return response;
    session = now;
    again.headers.set(CSRF, now.csrf_token);
    return fetch(again);
  }

  /** Null where that is not known: what was refused stays refused then. */
  async function sessionNow(): Promise<Session | null> {
    try {
      const answer = await fetch(new Request(`${BASE}/session`, { credentials: "same-origin" }));
      return answer.ok ? ((await answer.json()) as Session) : null;
    } catch {
      return null;
    }
  }

  const frame: Middleware = {
    onRequest({ request }) {
      request.headers.set("accept", "application/json");
      if (!READS.has(request.method) && session?.csrf_token) request.headers.set(CSRF, session.csrf_token);
      return request;
    },
    onError({ error }) {
      return unanswered(error);
    },
  };
  api.use(frame);
  return {
    ...api,
    /** Whose writes these are by now; null: nobody's. */
    rememberSession: (now: Session | null) => {
      session = now;
    },
  };
}

export type Api = ReturnType<typeof createApi>;

async function isCsrfRefused(response: Response): Promise<boolean> {
  return response.status === 403 && (await response.clone().text()).includes('"CsrfRefused"');
}

/**
 * The body of a successful answer.
 * @throws ApiError for a refusal, or where nothing answered
 */
export async function told<Body>(call: Promise<{ data?: Body; error?: unknown; response: Response }>): Promise<Body> {
  const { data, error, response } = await call;
  if (!response.ok) throw refusal(response, error);
  return data as Body;
}
