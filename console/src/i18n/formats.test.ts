import { describe, expect, it } from "vitest";

import { formatsOf } from "./formats";

describe("formats", () => {
  const english = formatsOf("en", "utc");
  const chinese = formatsOf("zh-CN", "utc");

  it("are made once for each language and time zone", () => {
    expect(formatsOf("en", "utc")).toBe(english);
    expect(formatsOf("en", "local")).not.toBe(english);
    expect(formatsOf("zh-CN", "utc")).not.toBe(english);
  });

  it("says counts, shares and rates", () => {
    expect(english.count(1234567)).toBe("1,234,567");
    expect(english.percent(0.4567)).toBe("45.7%");
    expect(english.rate(1234.5)).toBe("1,230");
    expect(english.rate(0.123)).toBe("0.123");
    expect(english.money(12345.678)).toBe("12,345.68");
    expect(english.money(0.00421)).toBe("0.0042");
  });

  it.each([
    [0, "0 bytes"],
    [999, "999 bytes"],
    [1500, "1.5 kB"],
    [5_368_709_120, "5.4 GB"],
    [2e18, "2,000 PB"],
  ])("says %d bytes", (bytes, text) => {
    expect(english.bytes(bytes)).toBe(text);
  });

  it.each([
    [0, "0s"],
    [59.4, "59s"],
    [60, "1m"],
    [3_725, "1h 2m"],
    [90_061, "1d 1h"],
    [86_400, "1d"],
  ])("says a length of %d seconds", (seconds, text) => {
    expect(english.duration(seconds)).toBe(text);
  });

  it("says times in the chosen zone, and how long ago they were", () => {
    expect(english.time("2026-03-04T05:06:07Z")).toMatch(/^Mar 4, 2026, 5:06:07\sAM$/);
    expect(english.timeUtc("2026-03-04T05:06:07Z")).toContain("UTC");
    const now = Date.parse("2026-03-04T06:06:07Z");
    expect(english.relative("2026-03-04T05:06:07Z", now)).toBe("1 hour ago");
    expect(chinese.relative("2026-03-02T05:06:07Z", now)).toBe("2天前");
    expect(english.relative("2026-03-05T21:06:07Z", now)).toBe("in 1 day"); // the day after tomorrow by now
    expect([english, chinese].map(({ relative }) => relative("2026-03-04T06:06:07Z", now))).toEqual(["now", "现在"]);
    expect(chinese.relative("2026-03-04T06:08:07Z", now)).toBe("2分钟后");
  });
});
