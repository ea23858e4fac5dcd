/** What a job comes to, as the API tells it without a shape. */
export interface Estimate {
  isExact: boolean;
  rows: number;
  objects: number;
  sizeBytes: number | null;
  objectsInParts: number;
  requests: { kind: string; count: number }[];
  totalRequests: number;
  durationSeconds: number | null;
  /** Of how many jobs the pace was measured; 0: none. */
  measuredJobs: number;
  cost: {
    currency: string;
    /** Null where a price is missing. */
    total: number | null;
    lines: { what: string; quantity: number; unitQuantity: number; unitPrice: number | null; amount: number | null }[];
  } | null;
  notes: string[];
}

type Fields = Record<string, unknown>;

/** Null where there is none, or where it is not what it should be. */
export function estimateOf(document: Fields | null | undefined): Estimate | null {
  if (!document) return null;
  const objects = numberIn(document, "objects");
  if (objects === null) return null;
  const requests = fieldsIn(document, "requests") ?? {};
  return {
    isExact: document["is_exact"] === true,
    rows: numberIn(document, "rows") ?? objects,
    objects,
    sizeBytes: numberIn(document, "size_bytes"),
    objectsInParts: numberIn(document, "objects_in_parts") ?? 0,
    requests: Object.keys(requests).map((kind) => ({ kind, count: numberIn(requests, kind) ?? 0 })),
    totalRequests: numberIn(document, "total_requests") ?? 0,
    durationSeconds: numberIn(document, "duration_seconds"),
    measuredJobs: numberIn(fieldsIn(document, "rate") ?? {}, "measured_jobs") ?? 0,
    cost: costOf(fieldsIn(document, "cost")),
    notes: listIn(document, "notes").filter((note): note is string => typeof note === "string"),
  };
}

function costOf(cost: Fields | null): Estimate["cost"] {
  if (!cost) return null;
  return {
    currency: textIn(cost, "currency"),
    total: numberIn(cost, "total"),
    lines: listIn(cost, "lines")
      .filter(isFields)
      .map((line) => ({
        what: textIn(line, "what"),
        quantity: numberIn(line, "quantity") ?? 0,
        unitQuantity: numberIn(line, "unit_quantity") ?? 1,
        unitPrice: numberIn(line, "unit_price"),
        amount: numberIn(line, "amount"),
      })),
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldsIn(fields: Fields, name: string): Fields | null {
  const value = fields[name];
  return isFields(value) ? value : null;
}

function numberIn(fields: Fields, name: string): number | null {
  const value = fields[name];
  return typeof value === "number" ? value : null;
}

function textIn(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

function listIn(fields: Fields, name: string): unknown[] {
  const value = fields[name];
  return Array.isArray(value) ? value : [];
}
