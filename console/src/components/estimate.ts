/** What a job is likely to come to, as `check_job` and `job_estimate` tell it. */
export interface Estimate {
  /** Else only a part of the inventory was read, and the numbers are scaled up. */
  isExact: boolean;
  objects: number;
  /** Null: the inventory lists no sizes. */
  bytes: number | null;
  requests: number;
  /** Null: no job was measured yet. */
  seconds: number | null;
  /** Null: a price is missing. */
  cost: { currency: string; total: number } | null;
  /** What the numbers leave out, in the service's words. */
  notes: readonly string[];
}

/** Reads the document of an estimate, which the API describes as a mapping only; null where it says nothing. */
export function estimateOf(document: Readonly<Record<string, unknown>> | null | undefined): Estimate | null {
  if (!document || typeof document["objects"] !== "number") return null;
  const { cost, notes } = document;
  return {
    isExact: document["is_exact"] === true,
    objects: document["objects"],
    bytes: numberOf(document["size_bytes"]),
    requests: numberOf(document["total_requests"]) ?? 0,
    seconds: numberOf(document["duration_seconds"]),
    cost: costOf(cost),
    notes: Array.isArray(notes) ? notes.filter((note): note is string => typeof note === "string") : [],
  };
}

function costOf(cost: unknown): Estimate["cost"] {
  if (typeof cost !== "object" || cost === null || !("total" in cost) || !("currency" in cost)) return null;
  if (typeof cost.total !== "number" || typeof cost.currency !== "string") return null;
  return { currency: cost.currency, total: cost.total };
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
