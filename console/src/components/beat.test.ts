import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createBeat } from "./beat";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("a beat", () => {
  it("has one timer for all who wait for it, and none when nobody does", () => {
    const beat = createBeat();
    const told: string[] = [];
    const ends = [beat(1_000, () => told.push("a")), beat(1_000, () => told.push("b"))];
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(2_000);
    expect(told).toEqual(["a", "b", "a", "b"]);
    ends[0]?.();
    vi.advanceTimersByTime(1_000);
    expect(told.slice(4)).toEqual(["b"]);
    ends[1]?.();
    ends[1]?.();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("begins anew for who comes later, and keeps others apart", () => {
    const beat = createBeat();
    const told: string[] = [];
    beat(1_000, () => told.push("a"))();
    const end = beat(1_000, () => told.push("b"));
    const endOfOther = beat(5_000, () => told.push("c"));
    expect(vi.getTimerCount()).toBe(2);
    vi.advanceTimersByTime(5_000);
    expect(told).toEqual(["b", "b", "b", "b", "b", "c"]);
    end();
    endOfOther();
    expect(vi.getTimerCount()).toBe(0);
  });
});
