import type { Fault, Schemas } from "./types";

/** An answer that was a refusal, or no answer at all (`status` 0). */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** When it came, in milliseconds. */
  readonly at = Date.now();

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string,
    readonly faults: readonly Fault[],
    /** Seconds to wait, where the service says so. */
    readonly retryAfterSeconds: number | null,
  ) {
    super(message);
  }
}

export const NO_ANSWER = "NoAnswer";

/** What the service said, as an error; of whatever else answers in its place (a proxy) no more than the status. */
export function refusal(response: Response, body: unknown): ApiError {
  const told = isErrorAnswer(body) ? body.error : null;
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new ApiError(
    response.status,
    told?.code ?? `HTTP ${response.status}`,
    told?.message ?? response.statusText,
    told?.request_id ?? response.headers.get("x-request-id") ?? "",
    told?.faults ?? [],
    Number.isFinite(seconds) ? seconds : null,
  );
}

export function unanswered(cause: unknown): ApiError {
  return new ApiError(0, NO_ANSWER, cause instanceof Error ? cause.message : String(cause), "", [], null);
}

/** Whether nothing answered: of what is there already, the page's banner says so. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof ApiError && error.status === 0;
}

/** Whether the same call may be answered otherwise in a moment. */
export function mayPass(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** For how long the service asks not to be asked again, in milliseconds; 0: it does not say. */
export function pauseAskedFor(error: unknown): number {
  return error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
}

/** How many whole seconds are left to wait of that at `now` (milliseconds). */
export function secondsToWait(error: ApiError, now: number): number {
  return Math.max(0, Math.ceil((error.at + pauseAskedFor(error) - now) / 1_000));
}

function isErrorAnswer(body: unknown): body is Schemas["ErrorAnswer"] {
  return typeof body === "object" && body !== null && "error" in body && typeof body.error === "object";
}
