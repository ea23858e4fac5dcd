import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import en from "../i18n/en.json";
import { encodedKey, reportHref, summaryHref } from "./failures";

it.each([
  ["photos/a.jpg", "photos/a.jpg"],
  ["a b/+%.txt", "a%20b/%2B%25.txt"],
  ["夜/a", "%E5%A4%9C/a"],
  ["it's (1)!*~.jpg", "it%27s%20%281%29%21%2A~.jpg"],
])("encodes the key %s", (key, encoded) => {
  expect(encodedKey(key)).toBe(encoded);
});

describe("downloads", () => {
  it.each([
    [{}, "/api/v1/jobs/j%2F1/report?format=csv"],
    [{ failed: true }, "/api/v1/jobs/j%2F1/report?format=csv&scope=FailedTasksOnly"],
    [{ code: "A&B" }, "/api/v1/jobs/j%2F1/report?format=csv&scope=FailedTasksOnly&code=A%26B"],
    [{ format: "jsonl" as const }, "/api/v1/jobs/j%2F1/report?format=jsonl"],
    [{ format: "jsonl" as const, failed: true }, "/api/v1/jobs/j%2F1/report?format=jsonl&scope=FailedTasksOnly"],
  ])("of %j", (only, href) => {
    expect(reportHref("j/1", only)).toBe(href);
  });

  it("of the summary", () => {
    expect(summaryHref("j1")).toBe("/api/v1/jobs/j1/summary?format=json");
    expect(summaryHref("j1", "csv")).toBe("/api/v1/jobs/j1/summary?format=csv");
  });
});

describe("hints", () => {
  const document = JSON.parse(readFileSync(`${import.meta.dirname}/../../../docs/reference/openapi.json`, "utf-8")) as {
    components: { schemas: Record<"FailureCode" | "OutcomeCode", { enum: string[] }> };
  };
  const { FailureCode, OutcomeCode } = document.components.schemas;

  it.each(FailureCode.enum)("tell what to do when a job fails with %s", (code) => {
    expect(en).toHaveProperty([`hint.job.${code}`]);
  });

  it.each(OutcomeCode.enum)("tell what to do when objects fail with %s", (code) => {
    expect(en).toHaveProperty([`hint.${code}`]);
  });
});
