import type { operations } from "../api/schema";

type Asked = NonNullable<operations["list_audit"]["parameters"]["query"]>;
export type AuditQuery = Pick<Asked, "actor" | "action" | "target" | "outcome" | "since" | "until">;

/** The filter of an address. What it does not know is left out; a time may be a day. */
export function queryOf(search: URLSearchParams): AuditQuery {
  const query: AuditQuery = {};
  for (const key of ["actor", "action", "target"] as const) {
    const text = search.get(key);
    if (text) query[key] = text;
  }
  const outcome = search.get("outcome");
  if (outcome === "done" || outcome === "refused") query.outcome = outcome;
  for (const key of ["since", "until"] as const) {
    const at = Date.parse(search.get(key) ?? "");
    if (!Number.isNaN(at)) query[key] = new Date(at).toISOString();
  }
  return query;
}

export function searchOf(query: AuditQuery): URLSearchParams {
  return new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
}
