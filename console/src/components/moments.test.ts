import { describe, expect, it } from "vitest";

import { readMoment, writeMoment } from "./moments";

describe("a moment that is typed", () => {
  it.each([
    ["2025-08-01", "10:30:05", "2025-08-01T10:30:05Z"],
    ["2025-08-01", "", "2025-08-01T00:00:00Z"],
    ["2025-08-01", "10", "2025-08-01T10:00:00Z"],
    ["2025-08-01", "10:3", "2025-08-01T10:30:00Z"],
    ["2025-08", "10:30:05", "2025-08T10:30:05"],
    ["2025-13-01", "10:30:05", "2025-13-01T10:30:05"],
    ["", "10:30:05", "T10:30:05"],
    ["2025-08", "", "2025-08T"],
    ["", "", ""],
  ])("%j %j is %j in UTC", (date, time, moment) => {
    expect(writeMoment({ date, time }, "utc")).toBe(moment);
  });

  it.each(["utc", "local"] as const)("is shown as it was typed: %s", (zone) => {
    const typed = { date: "2025-03-30", time: "12:30:05" };
    expect(readMoment(writeMoment(typed, zone), zone)).toEqual(typed);
  });

  it.each([
    { date: "", time: "10:00:00" },
    { date: "2025-08", time: "" },
    { date: "2025-08", time: "10:3" },
  ])("is shown as far as it was typed: %j", (typed) => {
    expect(readMoment(writeMoment(typed, "local"), "local")).toEqual(typed);
  });

  it("is empty where there is none", () => {
    expect(readMoment("", "utc")).toEqual({ date: "", time: "" });
    expect(readMoment("yesterday", "utc")).toEqual({ date: "", time: "" });
  });
});
