import { expect, it } from "vitest";

import { estimateOf } from "./estimate";

it("reads an estimate", () => {
  const found = estimateOf({
    is_exact: true,
    rows_read: 1_600,
    rows: 1_600,
    objects: 1_599,
    size_bytes: null,
    objects_in_parts: 0,
    requests: { copy: 1_599, "read-back": 202 },
    total_requests: 1_801,
    duration_seconds: 33.2,
    rate: { requests_per_second: 54.3, bytes_per_second: 0, measured_jobs: 3 },
    cost: {
      currency: "CNY",
      total: null,
      lines: [{ what: "read requests in demo", quantity: 202, unit_quantity: 10_000, unit_price: null, amount: null }],
      unpriced: ["read requests in demo"],
    },
    notes: ["the manifest lists no sizes"],
  });
  expect(found).toEqual({
    isExact: true,
    rows: 1_600,
    objects: 1_599,
    sizeBytes: null,
    objectsInParts: 0,
    requests: [
      { kind: "copy", count: 1_599 },
      { kind: "read-back", count: 202 },
    ],
    totalRequests: 1_801,
    durationSeconds: 33.2,
    measuredJobs: 3,
    cost: {
      currency: "CNY",
      total: null,
      lines: [{ what: "read requests in demo", quantity: 202, unitQuantity: 10_000, unitPrice: null, amount: null }],
    },
    notes: ["the manifest lists no sizes"],
  });
});

it.each([null, undefined, {}, { objects: "many" }])("knows that %j is none", (document) => {
  expect(estimateOf(document)).toBeNull();
});

it("goes without what is not known", () => {
  expect(estimateOf({ objects: 3 })).toMatchObject({ objects: 3, rows: 3, cost: null, measuredJobs: 0, requests: [] });
});
