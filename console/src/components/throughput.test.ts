import { describe, expect, it } from "vitest";

import { drawn, throughputOf, tickFormat, topOf } from "./throughput";

const at = "2026-11-26T08:00:00.000Z";

describe("throughput", () => {
  it("counts for each second, also of a stretch that is not over, and of none at all", () => {
    const points = [
      { at, seconds: 20, succeeded: 990, failed: 10, bytes_done: 4_096 },
      { at, seconds: 0, succeeded: 1, failed: 0, bytes_done: 1 },
    ];
    expect(throughputOf(points, { bucketSeconds: 20, isFinal: true })).toEqual([
      { at, seconds: 20, succeeded: 49.5, failed: 0.5, bytes: 204.8 },
      { at, seconds: 0, succeeded: 0, failed: 0, bytes: 0 },
    ]);
  });

  it("leaves out a last stretch that has just begun, as long as the job goes on", () => {
    const point = { at, seconds: 20, succeeded: 20, failed: 0, bytes_done: 0 };
    const begun = [point, { ...point, seconds: 9, succeeded: 0 }];
    expect(throughputOf(begun, { bucketSeconds: 20, isFinal: false })).toHaveLength(1);
    expect(throughputOf(begun, { bucketSeconds: 20, isFinal: true })).toHaveLength(2);
    expect(throughputOf([{ ...point, seconds: 10 }], { bucketSeconds: 20, isFinal: false })).toHaveLength(1);
    expect(throughputOf([point, { ...point, seconds: 10 }], { bucketSeconds: 20, isFinal: false })).toHaveLength(2);
    expect(throughputOf([{ ...point, seconds: 1 }], { bucketSeconds: 20, isFinal: false })).toHaveLength(1);
  });

  it.each([
    [10, "2026-11-26T08:00:10.000Z"],
    [2.5, "2026-11-26T08:00:02.500Z"],
    [0, "2026-11-26T08:00:01.000Z"],
  ])("draws a single stretch of %d s flat, from its start to its end", (seconds, end) => {
    const one = { at, seconds, succeeded: 5, failed: 1, bytes: 3 };
    expect(drawn([one])).toEqual([one, { ...one, at: end }]);
  });

  it("draws several stretches as they are, and of none nothing", () => {
    const one = { at, seconds: 10, succeeded: 5, failed: 0, bytes: 0 };
    const next = { ...one, at: "2026-11-26T08:00:10.000Z" };
    expect(drawn([one, next])).toEqual([one, next]);
    expect(drawn([])).toEqual([]);
  });

  it("has an axis even where nothing happened", () => {
    expect(topOf([])).toBe(1);
    expect(topOf([0, 0])).toBe(1);
    expect(topOf([10, 100])).toBeCloseTo(110);
  });

  it.each([
    [1_000, "08:00:00.00"],
    [10_000, "08:00:00.0"],
    [60_000, "08:00:00"],
    [3_600_000, "08:00"],
    [100_000_000, "Nov 26, 08:00"],
  ])("names times of an axis of %d ms", (spanMs, said) => {
    expect(tickFormat("en", "utc", spanMs)(new Date(at))).toBe(said);
  });
});
