import { describe, expect, it } from "vitest";

import { beginOf, day, endOf } from "./days";

describe("a day", () => {
  it.each(["2026-11-26", "2024-02-29", "1999-12-31"])("is %s", (text) => {
    expect(day(text)).toBe(text);
  });

  it.each(["", "yesterday", "2026-02-30", "2026-13-01", "2026-1-1", "0026-11-26", "2026-11-26T00:00:00Z"])(
    "is not %j",
    (text) => {
      expect(day(text)).toBe("");
    },
  );

  it.each([
    ["2026-11-26", "2026-11-26T00:00:00.000Z", "2026-11-27T00:00:00.000Z"],
    ["2024-02-28", "2024-02-28T00:00:00.000Z", "2024-02-29T00:00:00.000Z"],
    ["2026-12-31", "2026-12-31T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
  ])("%s begins and ends at midnight in UTC", (date, begin, end) => {
    expect(beginOf(date, "utc")).toBe(begin);
    expect(endOf(date, "utc")).toBe(end);
  });

  it.each(["2026-03-29", "2026-10-25", "2026-11-26"])("%s begins and ends at midnight where one is", (date) => {
    const [year = 0, month = 0, dayOfMonth = 0] = date.split("-").map(Number);
    expect(beginOf(date, "local")).toBe(new Date(year, month - 1, dayOfMonth).toISOString());
    expect(endOf(date, "local")).toBe(new Date(year, month - 1, dayOfMonth + 1).toISOString());
  });
});
