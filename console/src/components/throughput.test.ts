import { describe, expect, it } from "vitest";

import { drawn, throughputOf, tickFormat, topOf } from "./throughput";

const at = "2026-11-26T08:00:00.000Z";

describe("throughput", () => {
  it("counts for each second, also of a stretch that is not over, and of none at all", () => {
    const points = [
      { at, seconds: 20, succeeded: 990, failed: 10, bytes_done: 4_096 },
      { at, seconds: 0, succeeded: 1, failed: 0, bytes_done: 1 },
    ];
    expect(throughputOf(points)).toEqual([
      { at, succeeded: 49.5, failed: 0.5, bytes: 204.8 },
      { at, succeeded: 0, failed: 0, bytes: 0 },
    ]);
  });

  it("draws a line of a single stretch from nothing", () => {
    const one = { at, succeeded: 5, failed: 0, bytes: 0 };
    expect(drawn([one], 10)).toEqual([{ at: "2026-11-26T07:59:50.000Z", succeeded: 0, failed: 0, bytes: 0 }, one]);
    expect(drawn([one, one], 10)).toEqual([one, one]);
    expect(drawn([], 10)).toEqual([]);
  });

  it("has an axis even where nothing happened", () => {
    expect(topOf([])).toBe(1);
    expect(topOf([0, 0])).toBe(1);
    expect(topOf([10, 100])).toBeCloseTo(110);
  });

  it.each([
    [60_000, "08:00:00"],
    [3_600_000, "08:00"],
    [100_000_000, "Nov 26, 08:00"],
  ])("names times of an axis of %d ms", (spanMs, said) => {
    expect(tickFormat("en", "utc", spanMs)(new Date(at))).toBe(said);
  });
});
